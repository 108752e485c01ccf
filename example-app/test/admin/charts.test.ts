// The geometry of the charts on the administrator's page. Days without events keep their place, and
// a single event is visible beside thousands.
import { drawDayChart, summarizeDays, computeShares } from '../../src/admin/charts';

const NOON = Date.UTC(2026, 2, 1, 12);
const counts = (
  day: string,
  consumed: number,
): { day: string; issued: number; consumed: number; failures: object } => ({
  day,
  issued: 0,
  consumed,
  failures: {},
});

test('Every day has a bar, including days without events and the last day of February', () => {
  const days = summarizeDays(
    { days: [counts('2026-02-27', 4), counts('2026-03-01', 1)] },
    { now: NOON, count: 4 },
  );
  expect(days.map(({ day, consumed }) => [day, consumed])).toEqual([
    ['2026-02-26', 0],
    ['2026-02-27', 4],
    ['2026-02-28', 0],
    ['2026-03-01', 1],
  ]);
  const { bars, height, width } = drawDayChart(days, { id: 'consumed', title: 'Codes used' });
  expect(bars.map((bar) => bar.height)).toEqual([0, height, 0, height / 4]);
  expect(
    bars.every(({ x, y, ...bar }) => x + bar.width <= width && y + bar.height === height),
  ).toBe(true);
});

test('Refused attempts are one bar, with the reasons as text', () => {
  const [day] = summarizeDays(
    {
      days: [
        { day: '2026-03-01', issued: 0, consumed: 0, failures: { mismatch: 5, throttled: 1 } },
      ],
    },
    { now: NOON, count: 1 },
  );
  expect(day).toMatchObject({ refused: 6, reasons: 'mismatch 5, throttled 1' });
});

test('One event beside thousands is visible, and a day without events has no bar', () => {
  const days = summarizeDays(
    { days: [counts('2026-02-27', 5000), counts('2026-02-28', 1)] },
    { now: NOON, count: 3 },
  );
  const { bars, summary } = drawDayChart(days, { id: 'consumed', title: 'Codes used' });
  expect(bars.map(({ height }) => height > 0)).toEqual([true, true, false]);
  expect(summary).toBe('5001 in 3 days, most on 27 February: 5000.');
});

test('Shares add up to the full width, and are empty without accounts', () => {
  const parts = computeShares([
    { id: 'a', label: 'A', count: 3 },
    { id: 'b', label: 'B', count: 1 },
  ]);
  expect(parts.map(({ x, width, percent }) => [x, width, percent])).toEqual([
    [0, 75, 75],
    [75, 25, 25],
  ]);
  expect(computeShares([{ id: 'a', label: 'A', count: 0 }])[0]).toMatchObject({
    width: 0,
    percent: 0,
  });
});
