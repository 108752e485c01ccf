// A clock that only moves when a test moves it.

export interface FakeClock {
  /** For the option `now`. */
  readonly now: () => number;
  advance(milliseconds: number): void;
  /** Returns this value from now on, even if it is not a time. */
  set(time: unknown): void;
}

export const START = Date.UTC(2026, 10, 21);
export const SECOND_MS = 1000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function fakeClock(): FakeClock {
  let time: unknown = START;
  return {
    now: () => time as number,
    advance: (milliseconds) => {
      time = (time as number) + milliseconds;
    },
    set: (given) => {
      time = given;
    },
  };
}
