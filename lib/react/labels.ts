// Every word that the sheet shows, in English. The sheet contains no other text, so an app that
// replaces all labels has translated all of it.

/** The words on the sheet and in its file, all for end users. */
export interface BackupCodeSheetLabels {
  /** The heading above the codes. Screen readers also use it as the name of the list. */
  readonly heading: string;
  /** What the codes are for, and where to keep them. */
  readonly introduction: string;
  /** In front of the name of the service. */
  readonly service: string;
  /** In front of the name of the account. */
  readonly account: string;
  /** In front of the date and time at which the codes were made. */
  readonly createdAt: string;
  /** In front of the date and time until which the codes work. */
  readonly expiresAt: string;
  /** In place of this date, if the codes do not expire. */
  readonly never: string;
  /** The button that shows the codes, if `hideCodes` hides them at first. */
  readonly show: string;
  /** The same button while the codes are shown. */
  readonly hide: string;
  /** The button that copies the codes. */
  readonly copy: string;
  /** The status after a copy. */
  readonly copied: string;
  /** The status if the browser refuses the clipboard. It says what to do instead. */
  readonly copyFailed: string;
  /** The button that downloads the codes. */
  readonly download: string;
  /** The status after a download. */
  readonly downloaded: string;
  /** The button that prints the codes. */
  readonly print: string;
  /** The checkbox that confirms that the codes are saved. */
  readonly acknowledge: string;
  /** The button that ends the sheet. */
  readonly continue: string;
  /** The error if the user continues with the checkbox unticked. */
  readonly acknowledgeFirst: string;
  /** The error if `onAcknowledge` or `onStartOver` fails. */
  readonly continueFailed: string;
  /** In place of the codes, if the user left the page and came back with the Back button. */
  readonly leftPage: string;
  /** In place of the codes, if `onAcknowledge` returned `false`. */
  readonly notActivated: string;
  /** The button that calls `onStartOver`. */
  readonly startOver: string;
}

/** The labels that an app does not replace. */
export const ENGLISH_LABELS: BackupCodeSheetLabels = {
  heading: 'Your backup codes',
  introduction:
    'Each code lets you in once, when you cannot use your phone or security key. Keep them ' +
    'where you can reach them without it. They are shown only now.',
  service: 'Service',
  account: 'Account',
  createdAt: 'Created',
  expiresAt: 'Valid until',
  never: 'They do not expire',
  show: 'Show codes',
  hide: 'Hide codes',
  copy: 'Copy',
  copied: 'Copied. Paste the codes where you keep them.',
  copyFailed: 'Copying was refused. Download or print the codes, or select and copy them yourself.',
  download: 'Download',
  downloaded: 'The download has begun.',
  print: 'Print',
  acknowledge: 'I have saved these codes',
  continue: 'Continue',
  acknowledgeFirst: 'Save the codes first, then tick this box.',
  continueFailed: 'That did not work. Please try again.',
  leftPage:
    'You left this page, so it no longer shows the codes. If you have saved them, continue. ' +
    'Otherwise make new codes.',
  notActivated:
    'It is too late to turn on these codes, or you have made newer ones. Throw these codes away ' +
    'and make new ones.',
  startOver: 'Make new codes',
};
