// The store on Redis. Each method of a verification is one script: one atomic step and one round
// trip. Opens no connection of its own.
import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import type {
  BackupCodeAudit,
  EventsPage,
  EventsRequest,
  PruneRequest,
  RemindersRequest,
  Report,
  ReportRequest,
} from '../stores/audit-contract';
import { COUNTER_KEPT_MS, type BackupCodeStore } from '../stores/contract';
import type {
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  CountRequest,
  ForgetRequest,
  FoundUser,
  GiveBackRequest,
  LockedChannel,
  ReplaceRequest,
  RevokeRequest,
  StageRequest,
  UnlockRequest,
} from '../stores/requests';
import type { BackupCodeReplay, ReplayedEvents, ReplayRequest } from '../stores/replay-contract';
import { refusedSource } from '../stores/refusals';
import { latestEnd, latestUntil } from '../stores/waits';
import { userKey, type Subject } from '../stores/subject';
import { runScript, type Script, type ScriptRequest } from './client';
import { readEventsPage } from './event-pages';
import { forgetUser } from './forget-user';
import { nameKeyKey } from './keys';
import { checkOptions, type RedisKeyspace, type RedisStoreOptions } from './redis-options';
import { prune } from './prune';
import { recordReminders } from './reminders';
import { readFields, readText, readWrittenEvents } from './replies';
import { replayEvents } from './replay-events';
import { buildReport } from './report';
import {
  appendScript,
  countScript,
  giveBackScript,
  nameKeyScript,
  takeAttemptScript,
} from './scripts/attempt-scripts';
import { unlockScript } from './scripts/account-scripts';
import { consumeScript } from './scripts/consume-script';
import {
  activateScript,
  findScript,
  replaceScript,
  revokeScript,
  stageScript,
} from './scripts/set-scripts';
import { runUserScript } from './scripts/user-functions';
import { codeText, ownerFields, readCurrentSet, readSecondFactor, setFields } from './user-fields';
import { readAttempt, readConsumption, readTicket } from './verification-replies';

const NAME_KEY_BYTES = 32;

/**
 * Stores backup codes in Redis 6.2 or later, or Valkey, on one server or on a cluster.
 *
 * A code stays consumed only if Redis keeps what it has written. Set `appendonly yes`,
 * `appendfsync always` and `maxmemory-policy noeviction`. Replication is asynchronous: a failover
 * to a replica may lose the last writes, and a code that was consumed in them works again.
 *
 * The methods throw `BackupCodeError` with the code `unreadable_set` if stored data is damaged.
 * Errors of the client are passed on. If Redis refuses a call, because the user lacks a right
 * (`NOPERM`) or the server may not write now, nothing has changed. docs/redis.md lists the rights.
 *
 * @example
 * const client = createClient({ url: process.env.REDIS_URL, disableOfflineQueue: true });
 * await client.connect();
 * const backupCodes = new BackupCodes({ store: new RedisStore({ client }), pepper });
 */
export class RedisStore implements BackupCodeStore, BackupCodeAudit, BackupCodeReplay {
  readonly #keyspace: RedisKeyspace;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: RedisStoreOptions) {
    this.#keyspace = checkOptions('RedisStore', options);
  }

  async replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    const { subject, event, now, only } = request;
    const reply = await this.#run(replaceScript, subject.key, {
      id: event.id,
      set: setFields(request),
      event: JSON.stringify(event),
      now,
      onlyFirst: only === 'first',
    });
    return readWrittenEvents(reply);
  }

  async stage(request: StageRequest): Promise<readonly AuditEvent[]> {
    const { subject, header, event, until } = request;
    const reply = await this.#run(stageScript, subject.key, {
      id: event.id,
      set: JSON.stringify(setFields(request)),
      setId: header.setId,
      owner: ownerFields(subject),
      stagedUntil: until,
      event: JSON.stringify(event),
    });
    return readWrittenEvents(reply);
  }

  async activate({ subject, setId, now, event }: ActivateRequest): Promise<readonly AuditEvent[]> {
    const reply = await this.#run(activateScript, subject.key, {
      id: event.id,
      setId,
      now,
      latestUntil: latestUntil({ now }),
      event: JSON.stringify(event),
    });
    return readWrittenEvents(reply);
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const fields = readFields(await this.#run(findScript, subject.key));
    if (fields.size === 0) return null;
    return { current: readCurrentSet(fields), secondFactor: readSecondFactor(fields) };
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const { subject, channel, network, now, waits, refusal } = request;
    const reply = await runUserScript(this.#keyspace, takeAttemptScript, {
      subjectKey: subject.key,
      network,
      request: {
        id: refusal.id,
        channel,
        now,
        waits,
        latestEnd: latestEnd(request),
        refusal: JSON.stringify(refusal),
        refusedSource: refusedSource(request),
        owner: ownerFields(subject),
        keptMs: COUNTER_KEPT_MS,
      },
    });
    try {
      return readAttempt(reply, request);
    } catch (error) {
      // The script has counted the attempt. A set that cannot be read charges none.
      const ticket = readTicket(reply, request);
      if (ticket !== null) await this.giveBack({ subject, ticket }).catch(() => undefined);
      throw error;
    }
  }

  async giveBack({ subject, ticket }: GiveBackRequest): Promise<void> {
    const { channel, network, generation, nextAt } = ticket;
    await runUserScript(this.#keyspace, giveBackScript, {
      subjectKey: subject.key,
      network,
      request: { channel, generation, nextAt },
    });
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const { subject, setId, codeId, channel, now, events, milestones, replacement } = request;
    const reply = await this.#run(consumeScript, subject.key, {
      id: events[0].id,
      setId,
      codeId,
      channel,
      now,
      events: events.map((event) => JSON.stringify(event)),
      milestones: milestones.map(({ remaining, event }) => ({
        remaining,
        event: JSON.stringify(event),
      })),
      replacement: replacement && { codeId: replacement.codeId, code: codeText(replacement) },
    });
    return readConsumption(reply);
  }

  async revoke({ subject, now, event }: RevokeRequest): Promise<readonly AuditEvent[]> {
    const reply = await this.#run(revokeScript, subject.key, {
      id: event.id,
      now,
      event: JSON.stringify(event),
    });
    return readWrittenEvents(reply);
  }

  forget(request: ForgetRequest): Promise<readonly AuditEvent[]> {
    return forgetUser(this.#keyspace, request);
  }

  async unlock({ subject, channel, now, event }: UnlockRequest): Promise<readonly AuditEvent[]> {
    const reply = await this.#run(unlockScript, subject.key, {
      id: event.id,
      channel,
      now,
      event: JSON.stringify(event),
    });
    return readWrittenEvents(reply);
  }

  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    const subjectKey = lock ? lock.subject.key : subjectKeyOf(events[0]);
    if (subjectKey === null) return [];
    const reply = await this.#run(appendScript, subjectKey, {
      events: events.map((event) => JSON.stringify(event)),
      lock: lock && {
        generation: lock.ticket.generation,
        now: lock.now,
        event: JSON.stringify(lock.event),
      },
    });
    return readWrittenEvents(reply);
  }

  async count({ subject, event }: CountRequest): Promise<readonly AuditEvent[]> {
    const request = { event: JSON.stringify(event), id: event.id };
    return readWrittenEvents(await this.#run(countScript, subject.key, request));
  }

  async nameKey(): Promise<Uint8Array> {
    const { client, prefix } = this.#keyspace;
    const reply = await runScript(client, nameKeyScript, {
      keys: [nameKeyKey(prefix)],
      request: { candidate: randomBytes(NAME_KEY_BYTES).toString('hex') },
    });
    const key = Buffer.from(readText(reply), 'hex');
    if (key.length === NAME_KEY_BYTES) return key;
    throw new BackupCodeError(
      'unreadable_set',
      'The stored key for the counters of unknown user names is damaged.',
    );
  }

  readEvents(request: EventsRequest): Promise<EventsPage> {
    return readEventsPage(this.#keyspace, request);
  }

  /**
   * Removes events, and users without a set. The times of ended sets expire 400 days after the
   * user's last one ended.
   */
  prune(request: PruneRequest): Promise<number> {
    return prune(this.#keyspace, request);
  }

  recordReminders(request: RemindersRequest): Promise<readonly AuditEvent[]> {
    return recordReminders(this.#keyspace, request);
  }

  report(request: ReportRequest): Promise<Report> {
    return buildReport(this.#keyspace, request);
  }

  /**
   * Needs memory for the ids of all stored events, about 100 bytes each, until an hour after the
   * last call.
   */
  replayEvents(request: ReplayRequest): Promise<ReplayedEvents> {
    return replayEvents(this.#keyspace, request);
  }

  #run(script: Script, subjectKey: string, request?: ScriptRequest): Promise<unknown> {
    return runUserScript(this.#keyspace, script, { subjectKey, request });
  }
}

/**
 * An event is stored in its user's partition. The id of an event without a user chooses one, so
 * that such events are spread over all partitions.
 */
function subjectKeyOf(event: AuditEvent | undefined): string | null {
  if (!event) return null;
  const { id, userId, namespace } = event;
  return userId === null ? id : userKey(userId, namespace);
}
