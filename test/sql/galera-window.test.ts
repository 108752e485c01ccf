// The cursor of a reader on Galera: which of the last ids were read.
import fc from 'fast-check';
import {
  GALERA_POSITION,
  moveWindow,
  parseWindow,
  serializeWindow,
  type ReadWindow,
} from '../../lib/sql/galera-window';

const windows = fc
  .record({
    floor: fc.nat({ max: 2 ** 52 }),
    offsets: fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { maxLength: 300 }),
  })
  .map(({ floor, offsets }) => ({
    floor,
    read: offsets.sort((a, b) => a - b).map((offset) => floor + offset),
  }));

it('a cursor on Galera reads back as what was read', () => {
  fc.assert(
    fc.property(windows, (window) => {
      const position = serializeWindow(window);
      expect(position).toMatch(GALERA_POSITION);
      expect(parseWindow(position)).toEqual(window);
    }),
  );
});

it('a cursor on Galera with nothing read after its number is that number, as on one server', () => {
  expect(serializeWindow({ floor: 42, read: [] })).toBe('42');
  expect(parseWindow('42')).toEqual({ floor: 42, read: [] });
});

it('a cursor on Galera stays short, however far apart the ids are', () => {
  const position = serializeWindow({ floor: 5, read: [6, 1_000_000] });
  expect(position).toMatch(GALERA_POSITION);
  expect(parseWindow(position).read).toEqual([1_000_000]);
});

it('a reader on Galera receives each event once, in whatever order they arrive', () => {
  const arrivals = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 60 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 1, max: 9 }), (ids, limit) => {
      const stored: number[] = [];
      const received: number[] = [];
      let window: ReadWindow = { floor: 0, read: [] };
      const readPage = (settled: number): void => {
        const unread = stored.filter((id) => id > window.floor && !window.read.includes(id));
        const rows = unread.sort((a, b) => a - b).slice(0, limit);
        received.push(...rows);
        const moved = moveWindow(window, { rows: rows.map((seq) => ({ seq })), settled });
        window = parseWindow(serializeWindow(moved));
      };
      for (const id of ids) {
        stored.push(id);
        // What is still to arrive is not settled.
        const coming = ids.filter((other) => !stored.includes(other));
        const newest = Math.max(0, ...received);
        readPage(Math.min(newest, ...coming.map((other) => other - 1)));
      }
      for (let page = 0; page < ids.length; page += 1) readPage(0);
      expect(received.sort((a, b) => a - b)).toEqual(ids.sort((a, b) => a - b));
    }),
  );
});
