// Records the output of the package during a test: the codes that callers receive, and all other
// output. Results do not change, and are later by at most one tick.
import { BackupCodes, BackupCodeStrategy, type BackupCodeStore } from '../../lib';
import type { AuditEvent } from '../../lib/audit/events';
import { Listeners } from '../../lib/audit/listeners';
import { Audit } from '../../lib/service/audit';
import type { ConsumeRequest, NewSet } from '../../lib/stores/requests';
import type { Canary } from '../helpers/canary';

export const PLACES = ['events', 'answers', 'errors', 'objects', 'settlements'] as const;

export interface OutputRecorder {
  /** Receives a code that was returned to the caller, and that may be in no other output. */
  learn(code: string): void;
  record(place: (typeof PLACES)[number], value: unknown): void;
}

/** Each method that returns a promise. The type requires that a new method is added here. */
const SERVICE_METHODS: Readonly<
  Record<Exclude<keyof BackupCodes, 'formats' | 'on' | 'audit'>, true>
> = {
  issue: true,
  stage: true,
  activate: true,
  adopt: true,
  consume: true,
  rejectUnknownUser: true,
  status: true,
  revoke: true,
  forget: true,
  unlock: true,
  recordUnfinishedLogin: true,
  resumeLogin: true,
};
const AUDIT_METHODS: Readonly<Record<keyof Audit, true>> = {
  events: true,
  record: true,
  recordReminders: true,
  prune: true,
  report: true,
  replay: true,
};

/** Records from now on, in this test file. */
export function recordOutput(recorder: OutputRecorder): void {
  const seen = new WeakSet();
  const methods = [
    ...Object.keys(SERVICE_METHODS).map((name) => [BackupCodes.prototype, name] as const),
    ...Object.keys(AUDIT_METHODS).map((name) => [Audit.prototype, name] as const),
  ];
  for (const [owner, name] of methods) {
    replace(
      owner,
      name,
      (original) =>
        function (this: object, ...args: unknown[]): unknown {
          if (!seen.has(this)) recorder.record('objects', this);
          seen.add(this);
          const promise = original.apply(this, args) as Promise<unknown>;
          promise.then(
            (answer) => recorder.record('answers', withoutCodes(answer, recorder)),
            (error: unknown) => recorder.record('errors', error),
          );
          return promise;
        },
    );
  }
  replace(
    Listeners.prototype,
    'notify',
    (original) =>
      function (this: object, ...args: unknown[]): unknown {
        for (const event of args[0] as readonly AuditEvent[]) recorder.record('events', event);
        return original.apply(this, args);
      },
  );
  replace(
    BackupCodeStrategy.prototype,
    'authenticate',
    (original) =>
      function (this: object, ...args: unknown[]): unknown {
        for (const action of ['success', 'fail', 'error']) {
          replace(this, action, (settle) => (...values: unknown[]) => {
            recorder.record('settlements', values);
            settle.apply(this, values);
          });
        }
        return original.apply(this, args);
      },
  );
}

/** Wraps a store so that the canary learns each digest and salt that is written. */
export function learnSecrets(store: BackupCodeStore, canary: Canary): BackupCodeStore {
  return new Proxy(store, {
    get:
      (target, name) =>
      (...args: unknown[]) => {
        const {
          header,
          codes = [],
          replacement,
        } = (args[0] ?? {}) as Partial<NewSet> & ConsumeRequest;
        for (const { digest, salt } of replacement ? [replacement] : codes) {
          canary.addBytes(Buffer.from(digest, 'hex'), 'a digest');
          canary.addBytes(Buffer.from(salt, 'hex'), 'a salt');
        }
        if (header) {
          canary.addBytes(Buffer.from(header.check, 'hex'), 'a check');
          canary.addBytes(Buffer.from(header.salt.split('$').at(-1)!, 'hex'), 'the salt of a set');
        }
        return Reflect.apply(Reflect.get(target, name) as () => unknown, target, args);
      },
  });
}

type Method = (this: object, ...args: unknown[]) => unknown;

function replace(owner: object, name: string, wrap: (original: Method) => Method): void {
  Reflect.set(owner, name, wrap(Reflect.get(owner, name) as Method));
}

/** The rest of a result, without the codes that its caller may have. */
function withoutCodes(answer: unknown, recorder: OutputRecorder): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  const {
    codes = [],
    replacement,
    ...others
  } = answer as { codes?: readonly string[]; replacement?: string };
  for (const code of replacement === undefined ? codes : [...codes, replacement])
    recorder.learn(code);
  return others;
}
