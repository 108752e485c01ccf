// Every text of the sheet, in English. There is no other text in it: what an app replaces here is replaced everywhere.

/** The texts of the sheet, for people. */
export interface BackupCodeSheetLabels {
  /** Above the list, and the name of the list for who cannot see it. */
  readonly heading: string;
  /** What the codes are, and where to keep them. */
  readonly introduction: string;
  /** Before the name of the service, on the page and in the file. */
  readonly service: string;
  readonly account: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  /** In place of a date of expiry. */
  readonly never: string;
  readonly copy: string;
  readonly copied: string;
  /** Says what else to do: a browser or its owner may refuse the clipboard. */
  readonly copyFailed: string;
  readonly download: string;
  readonly downloaded: string;
  readonly print: string;
  /** Of the box to tick. */
  readonly acknowledge: string;
  /** Of the button that leads on. */
  readonly goOn: string;
  /** Where somebody would go on without having ticked the box. */
  readonly acknowledgeFirst: string;
  /** Where `onAcknowledge` failed. */
  readonly goOnFailed: string;
}

export const ENGLISH: BackupCodeSheetLabels = {
  heading: 'Your backup codes',
  introduction:
    'Each code lets you in once, when you cannot use your phone or security key. Keep them where you can reach them without it. They are shown only now.',
  service: 'Service',
  account: 'Account',
  createdAt: 'Created',
  expiresAt: 'Valid until',
  never: 'They do not expire',
  copy: 'Copy',
  copied: 'Copied. Paste the codes where you keep them.',
  copyFailed: 'Copying was refused. Download or print the codes, or select and copy them yourself.',
  download: 'Download',
  downloaded: 'The download has begun.',
  print: 'Print',
  acknowledge: 'I have saved these codes',
  goOn: 'Continue',
  acknowledgeFirst: 'Save the codes first, then tick this box.',
  goOnFailed: 'That did not work. Please try again.',
};
