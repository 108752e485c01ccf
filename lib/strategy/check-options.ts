// Checks the options of the strategy, at construction. Nothing here runs at a request.
import type { Request } from 'express';
import type { Channel, CleanContext, Context } from '../audit/context';
import { checkFormat, formats, type Format } from '../codes/formats';
import { isAllowedOn, MIN_RECOVERY_BITS } from '../codes/guessing';
import { BackupCodeError } from '../errors';
import { assertMethods, assertOptions, describe, optionalFunction } from '../internal/validate';
import type { BackupCodes } from '../service/backup-codes';
import type { UserId } from '../stores/subject';
import type { BackupCodeStrategyOptions } from './options';
import { requestContext } from './request-context';

/** The options with their defaults. What the app's functions return is checked at each request. */
export type CheckedOptions = CheckedCommonOptions & (CheckedService | CheckedOwnStorage);

/** A verify callback, with or without the request as its first argument. */
export type AnyVerify = (...args: unknown[]) => unknown;

interface CheckedCommonOptions {
  /** `recovery` with `findUser`, else `second_factor`. */
  readonly channel: Channel;
  readonly codeField: string;
  readonly usernameField: string;
  readonly findUser: ((username: string, req: Request) => unknown) | undefined;
  readonly currentUser: ((req: Request) => unknown) | undefined;
  readonly context: (req: Request) => Context;
  readonly messages: BackupCodeStrategyOptions<unknown>['messages'];
  readonly verify: AnyVerify | undefined;
  readonly passReqToCallback: boolean;
}

interface CheckedService {
  readonly backupCodes: BackupCodes;
  readonly userId: ((user: unknown) => UserId) | undefined;
}

export interface CheckedOwnStorage {
  readonly backupCodes: undefined;
  readonly consumeCode: (user: unknown, code: string, context: CleanContext) => unknown;
  readonly format: Format | 'any';
}

const NAMES = [
  'findUser',
  'currentUser',
  'consumeCode',
  'backupCodes',
  'userId',
  'context',
  'messages',
  'codeField',
  'usernameField',
  'passReqToCallback',
  'format',
] as const satisfies readonly (keyof BackupCodeStrategyOptions<unknown>)[];

/** @throws {BackupCodeError} `invalid_option`, `invalid_format` */
export function checkOptions(
  options: BackupCodeStrategyOptions<unknown, boolean>,
  verify: AnyVerify | undefined,
): CheckedOptions {
  assertOptions('BackupCodeStrategy', options, NAMES);
  const { codeField = 'code', usernameField = 'username', passReqToCallback = false } = options;
  assertFieldName('codeField', codeField);
  assertFieldName('usernameField', usernameField);
  const findUser = optionalFunction('findUser', options.findUser);
  const currentUser = optionalFunction('currentUser', options.currentUser);
  if (findUser && currentUser)
    throw invalidOption(
      'Give findUser (a recovery login) or currentUser (a second factor), not both.',
    );
  if (typeof passReqToCallback !== 'boolean')
    throw invalidOption(
      `passReqToCallback must be true or false, but was ${describe(passReqToCallback)}.`,
    );
  return {
    channel: findUser === undefined ? 'second_factor' : 'recovery',
    codeField,
    usernameField,
    findUser,
    currentUser,
    context: optionalFunction('context', options.context) ?? requestContext,
    messages: optionalFunction('messages', options.messages),
    verify: optionalFunction('verify', verify),
    passReqToCallback,
    ...checkStorage(options),
  };
}

function checkStorage(
  options: BackupCodeStrategyOptions<unknown, boolean>,
): CheckedService | CheckedOwnStorage {
  const { backupCodes, consumeCode, userId, format } = options;
  if ((backupCodes === undefined) === (consumeCode === undefined))
    throw invalidOption(
      'Give backupCodes (a BackupCodes) or consumeCode (a function of your own): ' +
        'exactly one of the two.',
    );
  if (backupCodes === undefined) {
    if (userId !== undefined)
      throw invalidOption('userId belongs to backupCodes; consumeCode gets the user.');
    return checkOwnStorage(consumeCode, format);
  }
  if (format !== undefined)
    throw invalidOption('format belongs to consumeCode; a BackupCodes has its own.');
  assertService(backupCodes);
  if (options.findUser !== undefined) assertRecoveryBits(backupCodes);
  return { backupCodes, userId: optionalFunction('userId', userId) };
}

function checkOwnStorage(
  consumeCode: CheckedOwnStorage['consumeCode'],
  format: Format | 'any' = formats.standard,
): CheckedOwnStorage {
  optionalFunction('consumeCode', consumeCode);
  if (consumeCode.length > 3)
    throw invalidOption(
      'consumeCode must take (user, code, context) and return a result or a promise of one, ' +
        `but takes ${consumeCode.length} parameters. It gets no callback.`,
    );
  return {
    backupCodes: undefined,
    consumeCode,
    format: format === 'any' ? format : checkFormat(format),
  };
}

/** By its methods, not by its class: a `BackupCodes` of another copy of this package works too. */
function assertService(backupCodes: BackupCodes): void {
  if (typeof backupCodes === 'function')
    throw invalidOption(
      'backupCodes must be an instance, new BackupCodes({ store }), but was a class or a function.',
    );
  assertMethods('backupCodes', backupCodes, ['consume', 'rejectUnknownUser']);
  if (!Array.isArray(backupCodes.formats))
    throw invalidOption(
      'backupCodes must be a BackupCodes. For a service of your own there is consumeCode.',
    );
}

/**
 * Each format, not only one: `consume` reads no shorter format on this channel, so the owner of an
 * older set could not log in.
 */
function assertRecoveryBits({ formats: read }: BackupCodes): void {
  if (read.every((format) => isAllowedOn('recovery', format))) return;
  const shortest = Math.min(...read.map(({ bits }) => bits));
  throw new BackupCodeError(
    'invalid_format',
    `findUser means the recovery channel, where a code needs ${MIN_RECOVERY_BITS} bits ` +
      '(NIST SP 800-63B-4, section 4.2.1.1), ' +
      `but this BackupCodes reads codes of ${shortest} bits. Give it format: formats.recovery.`,
  );
}

function assertFieldName(option: string, given: unknown): void {
  if (typeof given === 'string' && given !== '') return;
  const what = given === '' ? 'empty' : describe(given);
  throw invalidOption(`${option} must be the name of a field of the body, but was ${what}.`);
}

function invalidOption(message: string): BackupCodeError {
  return new BackupCodeError('invalid_option', message);
}
