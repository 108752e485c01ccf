// Checks the props, so that a mistake is an error at the first rendering. No message shows a code.
import { BackupCodeError } from '../errors';
import { isTime } from '../internal/time';
import { assertOptions, describe } from '../internal/assert-options';
import { ENGLISH_LABELS } from './labels';
import type { BackupCodeSheetPart, BackupCodeSheetProps } from './props';

interface PropCheck {
  readonly isValid: (given: unknown) => boolean;
  /** Follows the words "must be". */
  readonly expected: string;
}

const STRING: PropCheck = { isValid: isNonEmpty, expected: 'a non-empty string' };
const FUNCTION: PropCheck = {
  isValid: (given) => typeof given === 'function',
  expected: 'a function',
};
const BOOLEAN: PropCheck = {
  isValid: (given) => typeof given === 'boolean',
  expected: 'true or false',
};

const REQUIRED = {
  codes: {
    isValid: (given) => Array.isArray(given) && given.length > 0,
    expected: 'an array of one or more strings',
  },
  createdAt: { isValid: isTime, expected: 'milliseconds since 1970' },
  expiresAt: {
    isValid: (given) => given === null || isTime(given),
    expected: 'milliseconds since 1970 or null',
  },
  service: STRING,
  onAcknowledge: FUNCTION,
} satisfies Partial<Record<keyof BackupCodeSheetProps, PropCheck>>;

/** `null`: checked in {@link checkProps}, or not used. */
const CHECKS: Readonly<Record<keyof BackupCodeSheetProps, PropCheck | null>> = {
  ...REQUIRED,
  account: STRING,
  onStartOver: FUNCTION,
  hideCodes: BOOLEAN,
  warnBeforeLeaving: BOOLEAN,
  labels: null,
  locale: {
    isValid: (given) => succeeds(() => new Intl.DateTimeFormat(given as string)),
    expected: 'a language tag such as "de"',
  },
  timeZone: {
    isValid: (given) =>
      succeeds(() => new Intl.DateTimeFormat('en', { timeZone: given as string })),
    expected: 'a time zone such as "Europe/Berlin"',
  },
  fileName: STRING,
  headingLevel: {
    isValid: (given) => [1, 2, 3, 4, 5, 6].includes(given as number),
    expected: 'a whole number from 1 to 6',
  },
  classNames: null,
  printStyles: { isValid: (given) => typeof given === 'string', expected: 'a string' },
  setId: null,
};

const PARTS: readonly BackupCodeSheetPart[] = [
  'sheet',
  'heading',
  'introduction',
  'details',
  'notice',
  'list',
  'code',
  'actions',
  'button',
  'status',
  'acknowledgement',
  'label',
  'checkbox',
  'error',
  'continue',
];

/** @throws {BackupCodeError} `invalid_option` */
export function checkProps(props: BackupCodeSheetProps): void {
  assertOptions('BackupCodeSheet', props, Object.keys(CHECKS));
  for (const [name, check] of Object.entries(CHECKS)) {
    const given = props[name as keyof BackupCodeSheetProps];
    if (check && (given !== undefined || name in REQUIRED)) assertValid(name, given, check);
  }
  props.codes.forEach((code, index) => {
    // The message does not describe the code, which may be a number.
    if (!isNonEmpty(code)) throw invalidOption(`codes[${index}] must be ${STRING.expected}.`);
  });
  assertStrings('labels', props.labels, Object.keys(ENGLISH_LABELS));
  assertStrings('classNames', props.classNames, PARTS);
}

/** Checks an object that has no other names than these, and a non-empty string under each. */
function assertStrings(prop: string, given: object = {}, names: readonly string[]): void {
  assertOptions(prop, given, names);
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) assertValid(`${prop}.${name}`, value, STRING);
  }
}

function assertValid(name: string, given: unknown, { isValid, expected }: PropCheck): void {
  if (isValid(given)) return;
  const isEmpty = Array.isArray(given)
    ? given.length === 0
    : typeof given === 'string' && !isNonEmpty(given);
  throw invalidOption(
    `${name} must be ${expected}, but was ${isEmpty ? 'empty' : describe(given)}.`,
  );
}

function invalidOption(message: string): BackupCodeError {
  return new BackupCodeError('invalid_option', message);
}

function isNonEmpty(given: unknown): boolean {
  return typeof given === 'string' && given.trim() !== '';
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
