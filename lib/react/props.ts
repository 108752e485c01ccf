// The props of the sheet.
import type { BackupCodeSheetLabels } from './labels';

/**
 * A part of the sheet that takes a class of the app. Its element has the attribute
 * `data-backup-codes` with this name as the value.
 */
export type BackupCodeSheetPart =
  | 'sheet'
  | 'heading'
  | 'introduction'
  | 'details'
  | 'notice'
  | 'list'
  | 'code'
  | 'actions'
  | 'button'
  | 'status'
  | 'acknowledgement'
  | 'label'
  | 'checkbox'
  | 'error'
  | 'continue';

/**
 * The props of {@link BackupCodeSheet}. A set from `issue`, from `stage` or from the router has the
 * props `codes`, `createdAt`, `expiresAt` and `setId`, so that it can be spread:
 * `<BackupCodeSheet {...set} … />`.
 */
export interface BackupCodeSheetProps {
  /** The codes as they are shown. At least one. */
  readonly codes: readonly string[];
  /** When the codes were made, in milliseconds since 1970. */
  readonly createdAt: number;
  /** When the codes expire, in milliseconds since 1970. `null` if they do not expire. */
  readonly expiresAt: number | null;
  /** The name of your service, so that a user who finds the printed sheet knows what it is for. */
  readonly service: string;
  /**
   * The account that the codes belong to, such as a user name.
   *
   * @default undefined (not shown)
   */
  readonly account?: string | undefined;
  /**
   * Called once, when the user has ticked the checkbox and continues. Activate a staged set here.
   *
   * Return `false`, as `BackupCodes.activate` does, if the set can no longer be activated: its hour
   * is over, or a later set replaced it. The sheet then removes the codes and says so. Any other
   * value means success.
   *
   * If the function throws or rejects, the sheet asks the user to try again, and the error goes to
   * `reportError`: to `window.onerror` and the console. If `reportError` does not exist, the error
   * goes to the console only.
   */
  readonly onAcknowledge: () => unknown;
  /**
   * Called when the user asks for new codes, because the sheet no longer shows these: the user left
   * the page, or `onAcknowledge` returned `false`. Stage a new set here and give its codes to the
   * sheet. A second click does nothing until the function has settled. An error is handled as for
   * `onAcknowledge`.
   *
   * @default undefined (the sheet has no such button)
   */
  readonly onStartOver?: (() => unknown) | undefined;
  /**
   * Whether the codes are hidden until the user asks for them, so that people who see the screen do
   * not read them. Hidden codes are not in the document: no screen reader reads them, and the
   * server does not render them. They can be copied and downloaded. The button that prints shows
   * them first.
   *
   * @default false
   */
  readonly hideCodes?: boolean | undefined;
  /**
   * Whether the browser asks the user to confirm before the page is closed, reloaded or replaced,
   * as long as the user has not continued. Browsers do not ask when the app itself shows another
   * page without loading a document.
   *
   * @default true
   */
  readonly warnBeforeLeaving?: boolean | undefined;
  /**
   * Labels in place of the English ones. A label that you leave out stays English.
   *
   * @default {} (all English)
   */
  readonly labels?: Partial<BackupCodeSheetLabels> | undefined;
  /**
   * The language in which dates are written, as a BCP 47 tag such as `ja` or `de-CH`.
   *
   * @default undefined (dates are written as in ISO 8601: 2026-11-21 23:30 UTC)
   */
  readonly locale?: string | undefined;
  /**
   * The time zone of the dates and times, as an IANA name such as `Europe/Berlin`. The default
   * gives the same string on the server and in every browser.
   *
   * @default 'UTC'
   */
  readonly timeZone?: string | undefined;
  /**
   * The name of the downloaded file.
   *
   * @default the letters and digits of `service`, then `backup-codes.txt`:
   * `Example-Shop-backup-codes.txt`
   */
  readonly fileName?: string | undefined;
  /**
   * The level of the heading, to fit the page around the sheet. From 1 to 6.
   *
   * @default 2
   */
  readonly headingLevel?: 1 | 2 | 3 | 4 | 5 | 6 | undefined;
  /**
   * Classes of the app for parts of the sheet.
   *
   * @default {} (no class)
   */
  readonly classNames?: Partial<Record<BackupCodeSheetPart, string>> | undefined;
  /**
   * CSS that the document has as long as the sheet is mounted. Give `''` to print with your own
   * styles only.
   *
   * @default printStyles (a page prints its sheet and nothing else)
   */
  readonly printStyles?: string | undefined;
  /**
   * The id of the set. The sheet ignores it. It is a prop because a set that is spread has it.
   *
   * @default undefined
   */
  readonly setId?: string | undefined;
}
