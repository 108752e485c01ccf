// The set as text: its details, the text for the clipboard, and the name and content of the file.
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
    value: formatTime(time, props),
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
 * The time is there, and not only the day, because the codes expire within that day. It is rounded
 * down to the minute, so that the codes still work at the time that is shown.
 *
 * The result depends on the props only, and not on the language or the time zone of the machine, so
 * that the server and the browser render the same string.
 */
function formatTime(time: number, { locale, timeZone = 'UTC' }: BackupCodeSheetProps): string {
  const isLocal = locale !== undefined;
  // Swedes write dates as in ISO 8601.
  return new Intl.DateTimeFormat(locale ?? 'sv', {
    year: 'numeric',
    month: isLocal ? 'long' : '2-digit',
    day: isLocal ? 'numeric' : '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    // "11:30 PM" has a different kind of space in some browsers.
    hourCycle: 'h23',
    timeZone,
    timeZoneName: 'short',
  }).format(time);
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

/** The name of the file: letters and digits of the service, which every file system accepts. */
export function formatFileName({ service }: BackupCodeSheetProps): string {
  const name = `${service} backup codes`.replace(/[^\p{L}\p{M}\p{N}]+/gu, '-');
  return `${name.replace(/^-/, '')}.txt`;
}
