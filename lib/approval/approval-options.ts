// The options of two-person approval, checked once.
import { BackupCodeError } from '../errors';
import { checkedClock } from '../internal/clock';
import {
  assertMethods,
  assertOptions,
  describe,
  optionalFunction,
  wholeNumber,
} from '../internal/validate';
import type { Audit } from '../service/audit';
import type { BackupCodes } from '../service/backup-codes';
import type { ApprovalStore } from './approval-store';
import type { ProposedAction } from './proposal';
import type { ApprovalPolicy } from './refusal-rules';

/** The parts of a {@link BackupCodes} that two-person approval uses. */
export interface ApprovalBackupCodes {
  /** Checks and consumes the code of a person: {@link BackupCodes.consume}. */
  readonly consume: BackupCodes['consume'];
  /** Records each step: {@link Audit.record}. */
  readonly audit: Pick<Audit, 'record'>;
}

/** An action that takes two people. It may be asynchronous. */
export type ApprovedAction = (approved: ProposedAction) => unknown;

/** Options of {@link TwoPersonApproval}. */
export interface TwoPersonApprovalOptions extends ApprovalPolicy {
  /**
   * Where requests are stored: `SqlApprovalStore` of `passport-backup-code/sql`,
   * `RedisApprovalStore` of `passport-backup-code/redis`, or `MemoryApprovalStore` for tests.
   */
  readonly store: ApprovalStore;
  /** The `BackupCodes` that holds the codes of both people, and the audit trail. */
  readonly backupCodes: ApprovalBackupCodes;
  /**
   * The actions by name. Each begins with {@link TwoPersonApproval.assertApproved}, so that
   * `execute` is the only way to run it.
   */
  readonly actions: Readonly<Record<string, ApprovedAction>>;
  /**
   * Seconds from the request to the latest execution, from 60 to 86400.
   *
   * @default 900
   */
  readonly windowSeconds?: number;
  /**
   * The clock, in milliseconds since 1970. For tests.
   *
   * @default Date.now
   */
  readonly now?: () => number;
}

/** The options after the check. */
export interface ApprovalConfig {
  readonly store: ApprovalStore;
  readonly backupCodes: ApprovalBackupCodes;
  /** By name. */
  readonly actions: ReadonlyMap<string, ApprovedAction>;
  readonly policy: ApprovalPolicy;
  readonly windowMs: number;
  readonly now: () => number;
}

const OPTION_NAMES = [
  'store',
  'backupCodes',
  'actions',
  'isEntitled',
  'personOf',
  'windowSeconds',
  'now',
] as const satisfies readonly (keyof TwoPersonApprovalOptions)[];

/** @throws {BackupCodeError} `invalid_option` */
export function parseApprovalOptions(options: TwoPersonApprovalOptions): ApprovalConfig {
  assertOptions('TwoPersonApproval', options, OPTION_NAMES);
  const { store, backupCodes, actions, isEntitled, personOf, windowSeconds, now } = options;
  assertMethods('store', store, ['create', 'update']);
  assertMethods('backupCodes', backupCodes, ['consume']);
  assertMethods('backupCodes.audit', backupCodes.audit, ['record']);
  assertActions(actions);
  if (typeof isEntitled !== 'function') {
    throw new BackupCodeError(
      'invalid_option',
      `isEntitled must be a function, but was ${describe(isEntitled)}.`,
    );
  }
  optionalFunction('personOf', personOf);
  return {
    store,
    backupCodes,
    actions: new Map(Object.entries(actions)),
    policy: { isEntitled, personOf },
    windowMs:
      1000 * wholeNumber('windowSeconds', windowSeconds, { min: 60, max: 86_400, fallback: 900 }),
    now: checkedClock(optionalFunction('now', now)),
  };
}

function assertActions(actions: unknown): void {
  if (typeof actions !== 'object' || actions === null) {
    throw new BackupCodeError(
      'invalid_option',
      `actions must be an object of functions, but was ${describe(actions)}.`,
    );
  }
  assertMethods('actions', actions, Object.keys(actions));
}
