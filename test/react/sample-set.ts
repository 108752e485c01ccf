// The set that the tests show, and the props around it.
import type { BackupCodeSheetProps } from '../../lib/react';

export const SERVICE = 'Bücher & Co';
export const ACCOUNT = 'ada@example.com';
export const CODES = [
  'K7QM-3XNB',
  '9WDF-TR2H',
  'ZG5L-8VYC',
  'P4JS-NK6A',
  'B2EX-QD7M',
  'H8UR-5WTF',
  'C3YV-GL9Z',
  'N6AK-SJ4P',
  'T5FH-W8U2',
  'M7DQ-XB3E',
];

/** The dates are in the last hour of a day in UTC, so that time zones matter. */
export const SAMPLE_PROPS: BackupCodeSheetProps = {
  codes: CODES,
  createdAt: Date.UTC(2026, 10, 21, 23, 30),
  expiresAt: Date.UTC(2027, 10, 21, 23, 30),
  service: SERVICE,
  account: ACCOUNT,
  onAcknowledge: () => undefined,
};
