// The store on Redis: a script for each method, so that each is one atomic step and one round trip. Reads no clock but
// for what leaves by itself, and keeps no connection of its own.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { BackupCodeError } from '../errors';
import type { AuditEvent } from '../audit/events';
import { assertMethods, assertOptions, describe } from '../internal/validate';
import type {
  BackupCodeAudit,
  EventsPage,
  EventsRequest,
  PruneRequest,
  RemindersRequest,
  Report,
  ReportRequest,
} from '../stores/audit-contract';
import {
  NAME_KEPT_MS,
  type ActivateRequest,
  type AttemptRequest,
  type AttemptResult,
  type BackupCodeStore,
  type ConsumeRequest,
  type Consumption,
  type FoundUser,
  type GiveBackRequest,
  type LockedChannel,
  type ReplaceRequest,
  type RevokeRequest,
  type StageRequest,
} from '../stores/contract';
import { userKey, type Subject } from '../stores/subject';
import { runScript, type RedisClient, type RedisPlace, type Script } from './client';
import { keysOf, nameKeyKey } from './keys';
import {
  fieldsOfSet,
  readCodes,
  readCurrentSet,
  readDoors,
  readFields,
  readList,
  readNumber,
  readText,
  readWritten,
  textOfCode,
} from './replies';
import { prune, readEvents, recordReminders, report } from './reports';
import {
  activateScript,
  appendScript,
  consumeScript,
  findScript,
  giveBackScript,
  nameKeyScript,
  replaceScript,
  revokeScript,
  stageScript,
  takeAttemptScript,
} from './scripts';

/** For both stores on Redis. */
export interface RedisStoreOptions {
  /**
   * A connected client of `redis` (node-redis 5 or later): `createClient`, `createCluster`, `createSentinel` or a pool.
   * Make it with `disableOfflineQueue: true`, or a login waits for as long as the server is away.
   */
  readonly client: RedisClient;
  /** What every key begins with, before the braces of its partition; default `backup-code:`. Up to 64 characters, no braces. */
  readonly prefix?: string;
}

/** @throws {BackupCodeError} `invalid_option` */
export function placeOf(where: string, options: RedisStoreOptions): RedisPlace {
  assertOptions(where, options, ['client', 'prefix']);
  const { client, prefix = 'backup-code:' } = options;
  assertMethods('client', client, ['eval', 'evalSha']);
  if (typeof prefix !== 'string' || prefix.length > 64 || /[{}]/.test(prefix)) {
    throw new BackupCodeError(
      'invalid_option',
      `prefix must be a string of up to 64 characters without braces, but was ${describe(prefix)}.`,
    );
  }
  return { client, prefix };
}

/**
 * Keeps backup codes in Redis 6.2 or later, or Valkey, alone or as a cluster.
 *
 * Redis keeps what it was told to keep. Single use holds across restarts only with `appendonly yes`, `appendfsync always`
 * and `maxmemory-policy noeviction`; and replication is asynchronous: a failover to a replica may lose the last writes,
 * and a code consumed in them works again.
 *
 * @example new BackupCodes({ store: new RedisStore({ client }), pepper })
 */
export class RedisStore implements BackupCodeStore, BackupCodeAudit {
  private readonly place: RedisPlace;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: RedisStoreOptions) {
    this.place = placeOf('RedisStore', options);
  }

  async replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    const { subject, header, codes, event, now, only } = request;
    const set = JSON.stringify(fieldsOfSet(header, codes, subject.userId));
    return readWritten(
      await this.run(replaceScript, subject, [set, JSON.stringify(event), now, only ?? '']),
    );
  }

  async stage(request: StageRequest): Promise<readonly AuditEvent[]> {
    const { subject, header, codes, event, until } = request;
    const set = JSON.stringify(fieldsOfSet(header, codes, subject.userId));
    return readWritten(
      await this.run(stageScript, subject, [
        set,
        header.setId,
        until,
        JSON.stringify(event),
        subject.userId ?? '',
      ]),
    );
  }

  async activate({ subject, setId, now, event }: ActivateRequest): Promise<readonly AuditEvent[]> {
    return readWritten(
      await this.run(activateScript, subject, [setId, now, JSON.stringify(event)]),
    );
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const fields = readFields(await this.run(findScript, subject, []));
    return fields.size === 0
      ? null
      : { current: readCurrentSet(fields), channels: readDoors(fields) };
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const { subject, channel, now, waits, refusal } = request;
    const keptMs = subject.userId === null ? NAME_KEPT_MS : 0;
    const reply = readList(
      await this.run(takeAttemptScript, subject, [
        channel,
        now,
        JSON.stringify(waits),
        refusal.id,
        JSON.stringify(refusal),
        keptMs,
      ]),
    );
    if (readText(reply[0]) === 'refused') {
      const [, reason, nextAt, written] = reply;
      return {
        ok: false,
        reason: readText(reason) === 'locked' ? 'locked' : 'throttled',
        nextAt: readNumber(nextAt),
        events: readWritten(written),
      };
    }
    const [, attempt, generation, nextAt, user] = reply;
    const fields = readFields(user);
    const current = readCurrentSet(fields);
    return {
      ok: true,
      ticket: {
        channel,
        attempt: readNumber(attempt),
        generation: readNumber(generation),
        nextAt: readNumber(nextAt),
      },
      current: current && { ...current, codes: readCodes(fields) },
    };
  }

  async giveBack({ subject, ticket }: GiveBackRequest): Promise<void> {
    await this.run(giveBackScript, subject, [ticket.channel, ticket.generation, ticket.nextAt]);
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const { subject, setId, codeId, channel, now, events, milestones, replacement } = request;
    const reached = milestones.map(({ remaining, event }) => [
      String(remaining),
      JSON.stringify(event),
    ]);
    const added = replacement ? [replacement.codeId, textOfCode(replacement)] : ['', ''];
    const reply = readList(
      await this.run(consumeScript, subject, [
        setId,
        codeId,
        channel,
        now,
        listOf(events),
        JSON.stringify(reached),
        ...added,
      ]),
    );
    const outcome = readText(reply[0]);
    if (outcome === 'consumed') {
      const [, remaining, total, written] = reply;
      return {
        outcome,
        remaining: readNumber(remaining),
        total: readNumber(total),
        events: readWritten(written),
      };
    }
    if (outcome === 'already_consumed') return { outcome, consumedAt: readNumber(reply[1]) };
    const reason = readText(reply[1]);
    return {
      outcome: 'gone',
      reason: reason === 'expired' || reason === 'locked' ? reason : 'none',
    };
  }

  async revoke({ subject, now, event }: RevokeRequest): Promise<readonly AuditEvent[]> {
    return readWritten(await this.run(revokeScript, subject, [now, JSON.stringify(event)]));
  }

  /** Events lie with the user they are of: all of a call with the subject of `lock`, or else with the user of the first. */
  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    const [first] = events;
    if (lock) {
      const { subject, ticket, now, event } = lock;
      return readWritten(
        await this.run(appendScript, subject, [
          listOf(events),
          ticket.channel,
          ticket.generation,
          now,
          JSON.stringify(event),
        ]),
      );
    }
    if (!first) return [];
    // What belongs to nobody is spread over the partitions.
    const key = first.userId === null ? first.id : userKey(first.userId);
    return readWritten(
      await this.run(appendScript, { key, userId: first.userId }, [listOf(events), '', 0, 0, '']),
    );
  }

  async nameKey(): Promise<Uint8Array> {
    const input = {
      keys: [nameKeyKey(this.place.prefix)],
      arguments: [randomBytes(32).toString('hex')],
    };
    const key = Buffer.from(
      readText(await runScript(this.place.client, nameKeyScript, input)),
      'hex',
    );
    if (key.length !== 32)
      throw new BackupCodeError(
        'unreadable_set',
        'The key under which unknown names are counted is damaged.',
      );
    return key;
  }

  readEvents(request: EventsRequest): Promise<EventsPage> {
    return readEvents(this.place, request);
  }

  /** The times of sets that ended leave by themselves, after 400 days. */
  prune(request: PruneRequest): Promise<number> {
    return prune(this.place, request);
  }

  recordReminders(request: RemindersRequest): Promise<readonly AuditEvent[]> {
    return recordReminders(this.place, request);
  }

  report(request: ReportRequest): Promise<Report> {
    return report(this.place, request);
  }

  /** Shows no connection string, whoever prints this. */
  [inspect.custom](): string {
    return 'RedisStore {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  private run(
    script: Script,
    { key }: Subject,
    input: readonly (string | number)[],
  ): Promise<unknown> {
    return runScript(this.place.client, script, {
      keys: keysOf(this.place.prefix, key),
      arguments: input.map(String),
    });
  }
}

function listOf(events: readonly AuditEvent[]): string {
  return JSON.stringify(events.map((event) => JSON.stringify(event)));
}
