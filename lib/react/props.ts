// What the sheet is given, and its checks: a mistake is an error at the first rendering, and never has a code in it.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import { ENGLISH, type BackupCodeSheetLabels } from './labels';

/** The parts that take a class of the app's. Each has a `data-backup-codes` attribute of the same name. */
export type BackupCodeSheetPart = (typeof PARTS)[number];

/** What `issue`, `stage` and the router answer may be spread into it: `<BackupCodeSheet {...set} … />`. */
export interface BackupCodeSheetProps {
  readonly codes: readonly string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; `null`: never. */
  readonly expiresAt: number | null;
  /** The name of your service: whoever finds the sheet in a drawer sees what it is for. */
  readonly service: string;
  /** Whose codes, such as a user name. Default: not shown. */
  readonly account?: string | undefined;
  /**
   * Called once, when the person has ticked the box and goes on; activate a staged set here. Where it throws or rejects the person is asked
   * to try again, and the error goes to `reportError`, which is to say to `window.onerror` and the console; without it, to the console.
   */
  readonly onAcknowledge: () => unknown;
  /** Texts in place of the English ones; those left out stay English. */
  readonly labels?: Partial<BackupCodeSheetLabels> | undefined;
  /** How dates are written, such as `ja` or `de-CH`. Default: as ISO 8601 writes them. */
  readonly locale?: string | undefined;
  /** Where a day begins, such as `Europe/Berlin`. Default `UTC`: the same on the server and in every browser. */
  readonly timeZone?: string | undefined;
  /** Default `backup-codes.txt`. */
  readonly fileName?: string | undefined;
  /** Of the page that the sheet is on, 1 to 6. Default 2. */
  readonly headingLevel?: 1 | 2 | 3 | 4 | 5 | 6 | undefined;
  /** Classes of the app's, by part. Default: none. */
  readonly classNames?: Partial<Record<BackupCodeSheetPart, string>> | undefined;
  /** CSS that the document has while the sheet is on it. Default {@link printStyles}: only the codes are printed. `''`: your own prints. */
  readonly printStyles?: string | undefined;
  /** Of the set: the router and `BackupCodes` give it, and the sheet has no use for it. */
  readonly setId?: string | undefined;
}

const PARTS = [
  'sheet',
  'heading',
  'introduction',
  'facts',
  'list',
  'code',
  'actions',
  'button',
  'status',
  'acknowledgement',
  'label',
  'checkbox',
  'error',
  'go-on',
] as const;
const NAMES: readonly (keyof BackupCodeSheetProps)[] = [
  'codes',
  'createdAt',
  'expiresAt',
  'service',
  'account',
  'onAcknowledge',
  'labels',
  'locale',
  'timeZone',
  'fileName',
  'headingLevel',
  'classNames',
  'printStyles',
  'setId',
];
/** The last time that a `Date` can hold. */
const END_OF_TIME = 8_640_000_000_000_000;

/** @throws {BackupCodeError} `invalid_option` */
export function checkProps(props: BackupCodeSheetProps): void {
  const {
    codes,
    createdAt,
    expiresAt,
    onAcknowledge,
    labels = {},
    headingLevel = 2,
    classNames = {},
    locale,
    timeZone,
  } = props;
  assertOptions('BackupCodeSheet', props, NAMES);
  if (!Array.isArray(codes) || codes.length === 0 || !codes.every(isText)) {
    throw new BackupCodeError(
      'invalid_option',
      `codes must be a list of one text or more, but was ${Array.isArray(codes) ? 'an empty one, or one with something else in it' : describe(codes)}.`,
    );
  }
  wants('service', isText(props.service), 'a text', props.service);
  for (const name of ['account', 'fileName'] as const)
    wants(name, props[name] === undefined || isText(props[name]), 'a text', props[name]);
  wants(
    'printStyles',
    props.printStyles === undefined || typeof props.printStyles === 'string',
    'a text',
    props.printStyles,
  );
  wants('createdAt', isTime(createdAt), 'milliseconds since 1970', createdAt);
  wants(
    'expiresAt',
    expiresAt === null || isTime(expiresAt),
    'milliseconds since 1970 or null',
    expiresAt,
  );
  wants('onAcknowledge', typeof onAcknowledge === 'function', 'a function', onAcknowledge);
  wants(
    'headingLevel',
    [1, 2, 3, 4, 5, 6].includes(headingLevel),
    'a whole number from 1 to 6',
    headingLevel,
  );
  assertTexts('labels', labels, Object.keys(ENGLISH));
  assertTexts('classNames', classNames, PARTS);
  wants(
    'locale',
    isUnderstood(() => new Intl.DateTimeFormat(locale)),
    'a language tag such as "de"',
    locale,
  );
  wants(
    'timeZone',
    isUnderstood(() => new Intl.DateTimeFormat('en', { timeZone })),
    'a time zone such as "Europe/Berlin"',
    timeZone,
  );
}

function wants(name: string, isSo: boolean, what: string, given: unknown): void {
  if (!isSo)
    throw new BackupCodeError(
      'invalid_option',
      `${name} must be ${what}, but was ${given === '' ? 'empty' : describe(given)}.`,
    );
}

function assertTexts(name: string, given: object, known: readonly string[]): void {
  assertOptions(name, given, known);
  for (const [key, value] of Object.entries(given))
    wants(`${name}.${key}`, value === undefined || isText(value), 'a text', value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '';
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) <= END_OF_TIME;
}

function isUnderstood(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}
