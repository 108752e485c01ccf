// Charts of the administrator's page, as geometry: the view draws it as SVG. Knows no user and no
// code, only counts by day.
import type { Report } from 'passport-backup-code';

const DAY_MS = 86_400_000;
/** In units of the SVG's view box. */
const BAR_WIDTH = 8;
const BAR_STEP = 10;
const HEIGHT = 60;

const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One count, day by day. */
export interface DayChart {
  readonly id: string;
  readonly title: string;
  /** The same in a sentence, for whoever does not see the bars. */
  readonly summary: string;
  readonly bars: readonly Bar[];
  readonly width: number;
  readonly height: number;
}

/** What one day had of each. */
export interface Day {
  readonly day: string;
  readonly issued: number;
  readonly consumed: number;
  readonly refused: number;
  /** As `mismatch 5, throttled 1`. */
  readonly reasons: string;
}

/** Each of the last days, the oldest first, also those on which nothing happened. */
export function summarizeDays(
  { days }: Pick<Report, 'days'>,
  { now, count }: { now: number; count: number },
): Day[] {
  const known = new Map(days.map((one) => [one.day, one]));
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(now - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    const { issued = 0, consumed = 0, failures = {} } = known.get(day) ?? {};
    const reasons = Object.entries(failures);
    return {
      day,
      issued,
      consumed,
      refused: reasons.reduce((sum, [, times]) => sum + times, 0),
      reasons: reasons.map(([reason, times]) => `${reason} ${times}`).join(', '),
    };
  });
}

export function drawDayChart(
  days: readonly Day[],
  { id, title }: { id: 'issued' | 'consumed' | 'refused'; title: string },
): DayChart {
  const counts = days.map((day) => day[id]);
  const highest = Math.max(...counts);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = days.find((day) => day[id] === highest);
  return {
    id,
    title,
    summary:
      total === 0 || most === undefined
        ? `None in ${days.length} days.`
        : `${total} in ${days.length} days, most on ${DATE.format(Date.parse(most.day))}: ${highest}.`,
    bars: counts.map((count, index) => drawBar(index, highest === 0 ? 0 : count / highest)),
    width: days.length * BAR_STEP,
    height: HEIGHT,
  };
}

/** Where a part of all accounts begins, and how much of it there is, in percent. */
export interface Share {
  readonly id: string;
  readonly label: string;
  readonly count: number;
  readonly percent: number;
  readonly x: number;
  readonly width: number;
}

/** Parts of a whole, side by side in a bar of 100. Every account is in exactly one. */
export function computeShares(
  parts: readonly { readonly id: string; readonly label: string; readonly count: number }[],
): Share[] {
  const total = Math.max(
    1,
    parts.reduce((sum, { count }) => sum + count, 0),
  );
  let x = 0;
  return parts.map((part) => {
    const width = (100 * part.count) / total;
    const share = { ...part, x, width, percent: Math.round(width) };
    x += width;
    return share;
  });
}

/** A count of one stays visible beside a count of thousands. */
function drawBar(index: number, part: number): Bar {
  const height = part === 0 ? 0 : Math.max(2, Math.round(part * HEIGHT));
  return { x: index * BAR_STEP, y: HEIGHT - height, width: BAR_WIDTH, height };
}
