// The details of an event, cleaned so that they can be stored and logged.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { cleanString } from './context';
import type { EventDetails } from './events';

const MAX_DETAILS = 16;

/** @throws {BackupCodeError} `invalid_option` */
export function cleanDetails(details: EventDetails): EventDetails {
  if (typeof details !== 'object' || details === null || Array.isArray(details)) {
    throw new BackupCodeError(
      'invalid_option',
      `details must be an object, but was ${describe(details)}.`,
    );
  }
  const entries = Object.entries(details);
  if (entries.length > MAX_DETAILS) {
    throw new BackupCodeError(
      'invalid_option',
      `details may have at most ${MAX_DETAILS} values, but has ${entries.length}.`,
    );
  }
  return Object.freeze(Object.fromEntries(entries.map(cleanDetail)));
}

function cleanDetail([name, value]: [string, unknown]): [string, string | number | boolean | null] {
  if (typeof value === 'string') return [name, cleanString(value)];
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) {
    return [name, value as number | boolean | null];
  }
  throw new BackupCodeError(
    'invalid_option',
    `details.${name} must be a string, a finite number, a boolean or null, ` +
      `but was ${describe(value)}.`,
  );
}
