// The service: issues, consumes and ends the backup codes of users. Knows no request, no session
// and no SQL.
import { cleanContext, type Channel, type ConsumeContext, type Context } from '../audit/context';
import type { AuditEventType } from '../audit/events';
import { Listeners, type ErrorListener, type Listener } from '../audit/listeners';
import type { Format } from '../codes/formats';
import { BackupCodeError } from '../errors';
import { assertOptions } from '../internal/validate';
import { STAGED_MS } from '../stores/contract';
import type { NewSet, SetWithCodes } from '../stores/requests';
import {
  MAX_USERNAME_LENGTH,
  nameSubject,
  userSubject,
  type Subject,
  type UserId,
  type UserSubject,
} from '../stores/subject';
import { forgetUser, unlockChannel, type ForgetOptions, type UnlockContext } from './account';
import { readAdopted } from './adopt';
import { Audit } from './audit';
import { dummySet } from './compare';
import { consumeCode, type CodeAttempt } from './consume';
import { readConsumeContext } from './consumption';
import type { NotConsumed, Outcome } from './outcome';
import { makeSet, newCodes, type NewCodes } from './issue';
import { parseConfig, type Config } from './config';
import { type BackupCodesOptions } from './options';
import { resumeLogin } from './resume';
import { describeSet, type SetStatus } from './set-status';

/** Every set id has this form. Any other string is refused before the store is asked. */
const SET_ID = /^[0-9a-f]{32}$/;

/** A new set. Its codes exist only here: show them once, and do not keep them. */
export interface IssuedSet {
  readonly setId: string;
  readonly codes: string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; `null` if the set never expires. */
  readonly expiresAt: number | null;
}

/** Options of {@link BackupCodes.adopt}. */
export interface AdoptOptions {
  /** The format of the codes; one of the formats of this `BackupCodes`. */
  readonly format: Format;
  readonly context?: Context;
}

/** Which code was consumed, as {@link BackupCodes.consume} returned it. */
export interface ConsumedCode {
  readonly setId: string;
  readonly codeId: string;
}

interface StoredSet {
  readonly set: NewSet;
  readonly issued: IssuedSet;
}

/**
 * Backup codes in one store. One instance serves all requests, and any number of processes may
 * serve one database.
 *
 * @example
 * const backupCodes = new BackupCodes({ store: new SqlStore({ database: pool }), pepper });
 */
export class BackupCodes {
  /** The format of new codes, then the other formats that are read. */
  readonly formats: readonly Format[];
  /** Reads, prunes and extends the audit trail. */
  readonly audit: Audit;
  readonly #config: Config;
  readonly #dummy: SetWithCodes;
  readonly #listeners = new Listeners();
  #nameKey: Promise<Uint8Array> | null = null;

  /**
   * @throws {BackupCodeError} `invalid_option`, `invalid_format`, `invalid_hasher`,
   * `invalid_pepper`
   */
  constructor(options: BackupCodesOptions) {
    this.#config = parseConfig(options);
    this.#dummy = dummySet(this.#config);
    this.formats = this.#config.formats;
    this.audit = new Audit(this.#config, this.#listeners);
  }

  /**
   * Makes a new set that works at once. In the same instant the old set stops working. If this
   * fails, the old set is unchanged.
   *
   * @example
   * const { codes } = await backupCodes.issue(user.id, { ip: req.ip });
   *
   * @throws {BackupCodeError} `invalid_user_id`, `busy`
   */
  async issue(userId: UserId, context?: Context): Promise<IssuedSet> {
    const { set, issued } = await this.#make('issued', userId, { context });
    const events = await this.#config.store.replace({ ...set, now: issued.createdAt });
    this.#listeners.notify(events);
    return issued;
  }

  /**
   * Takes over codes that the app printed before, as the user's first set. Read them from your own
   * records, never from a browser. Their time to expiry starts now.
   *
   * @example
   * await backupCodes.adopt(user.id, oldCodes, { format: oldFormat });
   *
   * @returns false, with nothing changed, if the user has or had a set
   * @throws {BackupCodeError} `invalid_codes`, `invalid_format`, `invalid_user_id`, `busy`
   */
  async adopt(
    userId: UserId,
    plainCodes: readonly string[],
    options: AdoptOptions,
  ): Promise<boolean> {
    assertOptions('adopt', options, ['format', 'context']);
    const codes = readAdopted(this.#config, plainCodes, options.format);
    // Saves the slow hashes. It is not what decides: the write below does.
    const found = await this.#config.store.find(this.#subject(userId));
    if (found?.current) return false;
    const { set, issued } = await this.#make('adopted', userId, {
      context: options.context,
      codes,
    });
    const request = { ...set, now: issued.createdAt, only: 'first' } as const;
    const events = await this.#config.store.replace(request);
    this.#listeners.notify(events);
    return events.length > 0;
  }

  /**
   * Makes a set that does not work until {@link activate} is called with its id, within an hour.
   * The current set keeps working, so a closed tab costs the user no codes. A later call drops the
   * earlier staged set.
   *
   * @example
   * const { setId, codes } = await backupCodes.stage(user.id);
   *
   * @throws {BackupCodeError} `invalid_user_id`, `busy`
   */
  async stage(userId: UserId, context?: Context): Promise<IssuedSet> {
    const { set, issued } = await this.#make('staged', userId, { context });
    const events = await this.#config.store.stage({ ...set, until: issued.createdAt + STAGED_MS });
    this.#listeners.notify(events);
    return issued;
  }

  /**
   * Replaces the current set with the staged set of this id.
   *
   * @example
   * const isActive = await backupCodes.activate(user.id, setId);
   *
   * @returns false if there is no such staged set, or no longer
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async activate(userId: UserId, setId: string, context?: Context): Promise<boolean> {
    const subject = this.#subject(userId);
    if (typeof setId !== 'string' || !SET_ID.test(setId)) return false;
    const event = this.#config.newEvent('activated', {
      at: this.#config.now(),
      userId: subject.userId,
      setId,
      context: cleanContext(context),
    });
    const events = await this.#config.store.activate({ subject, setId, now: event.at, event });
    this.#listeners.notify(events);
    return events.length > 0;
  }

  /**
   * Checks a typed code and consumes it if it is valid. Of any number of concurrent callers with
   * one code, exactly one receives `ok`. Those that name the same login with `context.loginId` are
   * one caller: they all receive it, all except one with `repeated: true`.
   *
   * @example
   * const outcome = await backupCodes.consume(user.id, req.body.code, { ip: req.ip });
   * if (outcome.ok) console.log(`${outcome.remaining} codes left`);
   *
   * @param code the input, of any type; anything except a string that reads as a code is
   * `malformed`. On the `recovery` channel, only formats of 64 bits or more are read
   * @throws {BackupCodeError} `invalid_user_id`, `hash_timeout`, `store_timeout`; `invalid_format`
   * on the `recovery` channel if no format has 64 bits; `unknown_pepper`, `wrong_pepper`,
   * `unreadable_hash` or `unreadable_set` if the stored set cannot be checked, which charges no
   * attempt; and whatever the store throws
   */
  async consume(userId: UserId, code: unknown, context?: ConsumeContext): Promise<Outcome> {
    const subject = this.#subject(userId);
    return this.#consume(context, {
      userId: subject.userId,
      findSubject: () => Promise.resolve(subject),
      typed: code,
    });
  }

  /**
   * Does the work of {@link consume} for a user name that no user has, so that time and waits do
   * not tell. Never `ok`. The name is not stored.
   *
   * @example
   * const outcome = user
   *   ? await backupCodes.consume(user.id, code, { channel: 'recovery' })
   *   : await backupCodes.rejectUnknownUser(username, code, { channel: 'recovery' });
   *
   * @throws {BackupCodeError} `invalid_username` if it is not a string of 1 to 320 characters; and
   * whatever `consume` throws
   */
  async rejectUnknownUser(
    username: string,
    code: unknown,
    context?: ConsumeContext,
  ): Promise<NotConsumed> {
    if (
      typeof username !== 'string' ||
      username.length < 1 ||
      username.length > MAX_USERNAME_LENGTH
    ) {
      throw new BackupCodeError(
        'invalid_username',
        `A user name must be a string of 1 to ${MAX_USERNAME_LENGTH} characters.`,
      );
    }
    const outcome = await this.#consume(context, {
      userId: null,
      findSubject: () => this.#nameSubject(username),
      typed: code,
    });
    if (!outcome.ok) return outcome;
    throw new BackupCodeError(
      'invalid_result',
      'The store returned a set for a user name that no user has.',
    );
  }

  /**
   * @example
   * const status = await backupCodes.status(user.id);
   *
   * @returns `null` if the user has no set
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async status(userId: UserId): Promise<SetStatus | null> {
    const found = await this.#config.store.find(this.#subject(userId));
    if (!found?.current) return null;
    return describeSet(this.#config, found.current, found.secondFactor);
  }

  /**
   * Ends the set, and a staged one, without a new set: for the owner, or for an administrator
   * (`context.actor`). If the account is deleted, call {@link forget}.
   *
   * @example
   * await backupCodes.revoke(user.id, { actor: admin.id });
   *
   * @returns whether there was a set
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async revoke(userId: UserId, context?: Context): Promise<boolean> {
    const subject = this.#subject(userId);
    const event = this.#config.newEvent('revoked', {
      at: this.#config.now(),
      userId: subject.userId,
      context: cleanContext(context),
    });
    const events = await this.#config.store.revoke({ subject, now: event.at, event });
    this.#listeners.notify(events);
    return events.length > 0;
  }

  /**
   * Removes everything that is stored for a user, for the deletion of the account: codes, counters
   * and reminders, and with `audit: 'erase'` the user's events. `'anonymize'` keeps the events
   * without anything that names the user or tells where a request came from. Then records one event
   * `forgotten`, which has the actor only. If it fails, call it again.
   *
   * @example
   * await backupCodes.forget(user.id, { audit: 'anonymize', actor: admin.id });
   *
   * @throws {BackupCodeError} `unknown_user` if nothing is stored for the user; `invalid_option`,
   * `invalid_user_id`
   */
  async forget(userId: UserId, options: ForgetOptions): Promise<void> {
    const events = await forgetUser(this.#config, this.#subject(userId), options);
    this.#listeners.notify(events);
  }

  /**
   * Reopens a locked channel, or sets its count to zero, without a new set. The codes that are left
   * keep working. Make sure that you know who asks: see docs/support.md.
   *
   * @example
   * await backupCodes.unlock(user.id, 'second_factor', { actor: admin.id });
   *
   * @param context `actor` is required: the audit trail says who reopened the channel
   * @returns false, with nothing changed, if the channel is not locked, has no wait and counts no
   * attempt
   * @throws {BackupCodeError} `unknown_user` if nothing is stored for the user; `invalid_option`,
   * `invalid_user_id`
   */
  async unlock(userId: UserId, channel: Channel, context: UnlockContext): Promise<boolean> {
    const subject = this.#subject(userId);
    const events = await unlockChannel(this.#config, subject, { channel, context });
    this.#listeners.notify(events);
    return events.length > 0;
  }

  /**
   * Records that a code was consumed for a login that then failed. The user is not logged in, and
   * the code stays consumed. The strategy and `completeLogin` call it. Call it yourself if you log
   * users in without them.
   *
   * @example
   * await backupCodes.recordUnfinishedLogin(user.id, outcome);
   *
   * @param code what `consume` returned
   * @throws {BackupCodeError} `invalid_user_id`
   */
  async recordUnfinishedLogin(
    userId: UserId,
    { setId, codeId }: ConsumedCode,
    context?: Context,
  ): Promise<void> {
    const event = this.#config.newEvent('login_unfinished', {
      at: this.#config.now(),
      userId: userSubject(userId).userId,
      setId,
      codeId,
      context: cleanContext(context),
    });
    this.#listeners.notify(await this.#config.store.append([event]));
  }

  /**
   * Claims the login that a code was consumed for, after `consume` answered with `repeated: true`.
   * Of any number of callers for one login and code, exactly one receives true and may complete the
   * login. `completeLogin` calls it. Call it yourself if you name your logins with `loginId` and
   * complete them without `completeLogin`: then also claim the login that was not repeated.
   *
   * @example
   * if (!(await backupCodes.resumeLogin(user.id, outcome, { loginId }))) return res.sendStatus(409);
   *
   * @param code what `consume` returned
   * @param context with the `loginId` that `consume` was given
   * @returns false if the login was claimed before
   * @throws {BackupCodeError} `invalid_option` without a `loginId`; `invalid_user_id`
   */
  async resumeLogin(
    userId: UserId,
    { setId, codeId }: ConsumedCode,
    context: ConsumeContext,
  ): Promise<boolean> {
    const subject = this.#subject(userId);
    const events = await resumeLogin(this.#config, subject, { setId, codeId, context });
    this.#listeners.notify(events);
    return events.length > 0;
  }

  /**
   * Calls the listener after each change of this type that this process made, once it is committed.
   * A listener that throws or rejects never changes an outcome: the error goes to the listeners of
   * `error`, or to a process warning.
   *
   * @example
   * backupCodes.on('consumed', (event) => log.info(event));
   * backupCodes.on('error', (error, event) => log.error({ error, event: event.id }));
   *
   * @throws {BackupCodeError} `invalid_option`
   */
  on<T extends AuditEventType>(
    type: T,
    listener: T extends 'error' ? ErrorListener : Listener,
  ): this {
    this.#listeners.add(type, listener);
    return this;
  }

  #consume(
    given: ConsumeContext | undefined,
    attempt: Omit<CodeAttempt, 'context' | 'loginId'>,
  ): Promise<Outcome> {
    const service = { config: this.#config, dummy: this.#dummy, listeners: this.#listeners };
    return consumeCode(service, { ...attempt, ...readConsumeContext(given) });
  }

  /** A set for the store, and what the caller receives of it. */
  async #make(
    type: 'issued' | 'staged' | 'adopted',
    userId: UserId,
    { context, codes }: { readonly context: Context | undefined; readonly codes?: NewCodes },
  ): Promise<StoredSet> {
    const subject = this.#subject(userId);
    const cleaned = cleanContext(context);
    const made = await makeSet(this.#config, subject, codes ?? newCodes(this.#config));
    const { setId, createdAt, expiresAt, total } = made.header;
    const event = this.#config.newEvent(type, {
      at: createdAt,
      userId: subject.userId,
      setId,
      remaining: total,
      total,
      context: cleaned,
    });
    return {
      set: { subject, header: made.header, codes: made.records, event },
      issued: { setId, codes: made.codes, createdAt, expiresAt },
    };
  }

  /** @throws {BackupCodeError} `invalid_user_id` */
  #subject(userId: UserId): UserSubject {
    return userSubject(userId, this.#config.namespace);
  }

  async #nameSubject(username: string): Promise<Subject> {
    const { namespace, normalizeUsername } = this.#config;
    return nameSubject(normalizeUsername(username), await this.#loadNameKey(), { namespace });
  }

  /** Read from the store once, and again if that failed. */
  #loadNameKey(): Promise<Uint8Array> {
    this.#nameKey ??= this.#config.store.nameKey().catch((error: unknown) => {
      this.#nameKey = null;
      throw error;
    });
    return this.#nameKey;
  }
}
