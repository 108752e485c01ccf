// Waits for a function of the app, but not without a limit. It stops nothing: a late answer and a
// late failure are ignored.

/** A function to wait for, and the error to throw if it takes too long. */
export interface LimitedCall<T> {
  readonly call: () => Promise<T> | T;
  readonly late: () => Error;
}

/** Returns what `call` returns. After the time limit it throws the error of `late()` instead. */
export async function withinSeconds<T>(
  seconds: number,
  { call, late }: LimitedCall<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([call(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
