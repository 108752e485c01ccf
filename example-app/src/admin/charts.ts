// Computes the geometry of the charts on the administrator's page. The view draws them as SVG. The
// input is counts by day, without users or codes.
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

/** A chart of one count by day. */
export interface DayChart {
  readonly id: string;
  readonly title: string;
  /** The same as a sentence, for users who cannot see the bars. */
  readonly summary: string;
  readonly bars: readonly Bar[];
  readonly width: number;
  readonly height: number;
}

/** The counts of one day. */
export interface Day {
  readonly day: string;
  readonly issued: number;
  readonly consumed: number;
  readonly refused: number;
  /** For example `mismatch 5, throttled 1`. */
  readonly reasons: string;
}

/** One entry for each of the last days, oldest first, including days without events. */
export function summarizeDays(
  { days }: Pick<Report, 'days'>,
  { now, count }: { now: number; count: number },
): Day[] {
  const daysWithEvents = new Map(days.map((one) => [one.day, one]));
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(now - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    const { issued = 0, consumed = 0, failures = {} } = daysWithEvents.get(day) ?? {};
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
  const busiest = days.find((day) => day[id] === highest);
  return {
    id,
    title,
    summary:
      total === 0 || busiest === undefined
        ? `None in ${days.length} days.`
        : `${total} in ${days.length} days, ` +
          `most on ${DATE.format(Date.parse(busiest.day))}: ${highest}.`,
    bars: counts.map((count, index) => drawBar(index, highest === 0 ? 0 : count / highest)),
    width: days.length * BAR_STEP,
    height: HEIGHT,
  };
}

/** A group of accounts: its position and its width in the bar, in percent. */
export interface Share {
  readonly id: string;
  readonly label: string;
  readonly count: number;
  readonly percent: number;
  readonly x: number;
  readonly width: number;
}

/** Places the groups side by side in a bar of width 100. Every account is in exactly one group. */
export function computeShares(
  groups: readonly { readonly id: string; readonly label: string; readonly count: number }[],
): Share[] {
  const total = Math.max(
    1,
    groups.reduce((sum, { count }) => sum + count, 0),
  );
  let x = 0;
  return groups.map((group) => {
    const width = (100 * group.count) / total;
    const share = { ...group, x, width, percent: Math.round(width) };
    x += width;
    return share;
  });
}

/** A bar for a count of one stays visible beside a count of thousands. */
function drawBar(index: number, fraction: number): Bar {
  const height = fraction === 0 ? 0 : Math.max(2, Math.round(fraction * HEIGHT));
  return { x: index * BAR_STEP, y: HEIGHT - height, width: BAR_WIDTH, height };
}
