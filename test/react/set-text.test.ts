// The dates on the sheet, and the file that it downloads.
import type { BackupCodeSheetProps } from '../../lib/react';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { formatFile, listDetails } from '../../lib/react/set-text';
import { CODES, SAMPLE_PROPS, SERVICE } from './sample-set';

describe('the two dates', () => {
  it.each<[Partial<BackupCodeSheetProps>, string[]]>([
    [{}, ['2026-11-21', '2027-11-21']],
    [{ timeZone: 'Europe/Berlin' }, ['2026-11-22', '2027-11-22']],
    [{ locale: 'de', timeZone: 'Europe/Berlin' }, ['22. November 2026', '22. November 2027']],
    [{ locale: 'ja' }, ['2026年11月21日', '2027年11月21日']],
  ])('The two dates with the props %j are %j on every machine', (props, expected) => {
    const details = listDetails({ ...SAMPLE_PROPS, ...props }, ENGLISH_LABELS);
    expect(details.slice(2).map(({ value }) => value)).toEqual(expected);
  });
});

it('the file has the service, the account and the dates first, then one code a line', () => {
  const details = `Service: ${SERVICE}
Account: ada@example.com
Created: 2026-11-21
Valid until: 2027-11-21`;
  expect(formatFile(SAMPLE_PROPS, ENGLISH_LABELS)).toBe(`${details}\n\n${CODES.join('\n')}\n`);
});
