// The set as text: its dates, what is copied, and what is written into the file. Nothing here is kept anywhere.
import type { BackupCodeSheetLabels } from './labels';
import type { BackupCodeSheetProps } from './props';

/** One line of what is said of a set. */
export interface Fact {
  readonly name: keyof BackupCodeSheetLabels;
  readonly label: string;
  readonly value: string;
  /** For `<time>`; of what is no date there is none. */
  readonly dateTime?: string;
}

/** Service, account, creation and expiry, as the page and the file tell them. */
export function factsOf(
  props: BackupCodeSheetProps,
  labels: BackupCodeSheetLabels,
): readonly Fact[] {
  const { service, account, createdAt, expiresAt } = props;
  const date = (name: 'createdAt' | 'expiresAt', at: number): Fact => ({
    name,
    label: labels[name],
    value: dayOf(at, props),
    dateTime: new Date(at).toISOString(),
  });
  return [
    { name: 'service', label: labels.service, value: service },
    ...(account === undefined
      ? []
      : [{ name: 'account', label: labels.account, value: account } as const]),
    date('createdAt', createdAt),
    expiresAt === null
      ? { name: 'expiresAt', label: labels.expiresAt, value: labels.never }
      : date('expiresAt', expiresAt),
  ];
}

/** The day, the same on a server and in a browser: neither's own language or time zone counts. */
function dayOf(at: number, { locale, timeZone = 'UTC' }: BackupCodeSheetProps): string {
  if (locale !== undefined)
    return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }).format(at);
  const parts = new Intl.DateTimeFormat('en', {
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    timeZone,
  }).formatToParts(at);
  return ['year', 'month', 'day']
    .map((type) => parts.find((part) => part.type === type)?.value)
    .join('-');
}

/** One code a line. */
export function codesText({ codes }: BackupCodeSheetProps): string {
  return codes.join('\n');
}

/** Service and dates on top, then one code a line. */
export function fileText(props: BackupCodeSheetProps, labels: BackupCodeSheetLabels): string {
  const facts = factsOf(props, labels).map(({ label, value }) => `${label}: ${value}`);
  return [...facts, '', codesText(props), ''].join('\n');
}
