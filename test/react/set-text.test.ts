// The dates on the sheet, and the name and content of the file that it downloads.
import type { BackupCodeSheetProps } from '../../lib/react';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { formatFile, formatFileName, listDetails } from '../../lib/react/set-text';
import { CODES, SAMPLE_PROPS, SERVICE } from './sample-set';

describe('the two dates', () => {
  it.each<[Partial<BackupCodeSheetProps>, string[]]>([
    [{}, ['2026-11-21 23:30 UTC', '2027-11-21 23:30 UTC']],
    [{ timeZone: 'Europe/Berlin' }, ['2026-11-22 00:30 CET', '2027-11-22 00:30 CET']],
    [
      { locale: 'de', timeZone: 'Europe/Berlin' },
      ['22. November 2026 um 00:30 MEZ', '22. November 2027 um 00:30 MEZ'],
    ],
    [{ locale: 'ja' }, ['2026年11月21日 23:30 UTC', '2027年11月21日 23:30 UTC']],
  ])('The two dates with the props %j are %j on every machine', (props, expected) => {
    const details = listDetails({ ...SAMPLE_PROPS, ...props }, ENGLISH_LABELS);
    expect(details.slice(2).map(({ value }) => value)).toEqual(expected);
  });

  it('The codes still work at the time until which the sheet says that they are valid', () => {
    for (const time of ['23:29:59.999', '23:30:00.000', '23:30:59.999']) {
      const expiresAt = Date.parse(`2027-11-21T${time}Z`);
      const { value } = listDetails({ ...SAMPLE_PROPS, expiresAt }, ENGLISH_LABELS).at(-1)!;
      const shown = Date.parse(value.replace(' UTC', 'Z').replace(' ', 'T'));
      expect(shown).toBeLessThanOrEqual(expiresAt);
      expect(shown).toBeGreaterThan(expiresAt - 60_000);
    }
  });
});

it('the file has the service, the account and the dates first, then one code a line', () => {
  const details = `Service: ${SERVICE}
Account: ada@example.com
Created: 2026-11-21 23:30 UTC
Valid until: 2027-11-21 23:30 UTC`;
  expect(formatFile(SAMPLE_PROPS, ENGLISH_LABELS)).toBe(`${details}\n\n${CODES.join('\n')}\n`);
});

it.each([
  ['Example Shop', 'Example-Shop-backup-codes.txt'],
  ['Bücher & Co', 'Bücher-Co-backup-codes.txt'],
  ['שירות/../דוגמה', 'שירות-דוגמה-backup-codes.txt'],
  ['हिन्दी सेवा', 'हिन्दी-सेवा-backup-codes.txt'],
  ['CON: \0"<>|*?', 'CON-backup-codes.txt'],
  ['★', 'backup-codes.txt'],
])('the file for the service %j is called %j', (service, expected) => {
  expect(formatFileName({ ...SAMPLE_PROPS, service })).toBe(expected);
});
