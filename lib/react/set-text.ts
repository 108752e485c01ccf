// The set as text: its details, the text for the clipboard, and the content of the file.
import type { BackupCodeSheetLabels } from './labels';
import type { BackupCodeSheetProps } from './props';

/** A detail of the set, as the page and the file show it. */
export interface SetDetail {
  readonly name: 'service' | 'account' | 'createdAt' | 'expiresAt';
  readonly label: string;
  readonly value: string;
  /** The machine-readable date for `<time>`, if the value is a date. */
  readonly dateTime?: string;
}

export function listDetails(
  props: BackupCodeSheetProps,
  labels: BackupCodeSheetLabels,
): readonly SetDetail[] {
  const { service, account, createdAt, expiresAt } = props;
  const dateDetail = (name: 'createdAt' | 'expiresAt', time: number): SetDetail => ({
    name,
    label: labels[name],
    value: formatDay(time, props),
    dateTime: new Date(time).toISOString(),
  });
  const details: SetDetail[] = [{ name: 'service', label: labels.service, value: service }];
  if (account !== undefined) {
    details.push({ name: 'account', label: labels.account, value: account });
  }
  details.push(
    dateDetail('createdAt', createdAt),
    expiresAt === null
      ? { name: 'expiresAt', label: labels.expiresAt, value: labels.never }
      : dateDetail('expiresAt', expiresAt),
  );
  return details;
}

/**
 * The server and the browser must render the same string. So the result depends on the props only,
 * and not on the language or the time zone of the machine.
 */
function formatDay(time: number, { locale, timeZone = 'UTC' }: BackupCodeSheetProps): string {
  if (locale !== undefined) {
    return new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone }).format(time);
  }
  const parts = new Intl.DateTimeFormat('en', {
    calendar: 'iso8601',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    timeZone,
  }).formatToParts(time);
  return ['year', 'month', 'day']
    .map((type) => parts.find((part) => part.type === type)?.value)
    .join('-');
}

/** The text for the clipboard: one code a line. */
export function formatCodes({ codes }: BackupCodeSheetProps): string {
  return codes.join('\n');
}

/** The content of the file: the details, an empty line, then one code a line. */
export function formatFile(props: BackupCodeSheetProps, labels: BackupCodeSheetLabels): string {
  const details = listDetails(props, labels).map(({ label, value }) => `${label}: ${value}`);
  return [...details, '', formatCodes(props), ''].join('\n');
}
