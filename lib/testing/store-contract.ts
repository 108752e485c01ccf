// The suite for a store: each promise of `BackupCodeStore`, and the races in which a store could
// break it.
import type { AuditEvent } from '../audit/events';
import type { BackupCodeStore } from '../stores/contract';
import { accountRaceTests } from './account-race-tests';
import { forgetTests, unlockTests } from './account-tests';
import { appendTests } from './append-tests';
import { attemptTests } from './attempt-tests';
import { consumptionTests } from './consumption-tests';
import { giveBackTests } from './give-back-tests';
import { namespaceTests } from './namespace-tests';
import { pruneTests } from './prune-tests';
import { networkTests } from './network-tests';
import { raceTests } from './race-tests';
import { replayTests } from './replay-tests';
import type { Runner } from './runner';
import { repeatedConsumptionTests } from './repeated-consumption-tests';
import { setRaceTests } from './set-race-tests';
import { setTests } from './set-tests';
import { stagingTests } from './staging-tests';
import { unknownNameTests } from './unknown-name-tests';

/** A connection to the data. What one connection commits, all others see. */
export interface StoreConnection {
  readonly store: BackupCodeStore;
  /** Called when the test is done with the connection. */
  readonly close?: () => Promise<void>;
}

/** The fields of an event that the suite reads back. */
export type StoredEvent = Pick<
  AuditEvent,
  'type' | 'reason' | 'setId' | 'codeId' | 'remaining' | 'total' | 'refusals'
>;

/** The store to test. */
export interface StoreContractOptions {
  /**
   * Opens a connection to one database that all tests share. It may already hold data. A race test
   * calls this several times; let each call connect as another process would.
   */
  readonly connect: () => Promise<StoreConnection>;
  /**
   * Reads the events of a user as the store recorded them, oldest first. Read them past the store,
   * for example with your own SQL, so that the test does not trust what it tests.
   */
  readonly readEvents: (userId: string) => Promise<readonly StoredEvent[]>;
  /**
   * How often each race is run. More rounds find rarer faults and take longer.
   *
   * @default 20
   */
  readonly rounds?: number;
}

/** What each group of tests works with. */
export interface StoreTestContext {
  readonly runner: Runner;
  readonly rounds: number;
  readonly readEvents: StoreContractOptions['readEvents'];
  /** Opens `count` connections, runs the test on them, and closes them. */
  readonly withStores: (
    count: number,
    test: (stores: readonly [BackupCodeStore, ...BackupCodeStore[]]) => Promise<void>,
  ) => Promise<void>;
  /** Declares a test that needs one connection. */
  readonly test: (name: string, body: (store: BackupCodeStore) => Promise<void>) => void;
}

/**
 * Declares the tests that each store must pass.
 *
 * Each test makes users of its own, so that the tests can share a database and run in any order.
 *
 * @example
 * import { describe, it } from 'node:test';
 * import { storeContract } from 'passport-backup-code/testing';
 *
 * storeContract({ describe, it }, {
 *   connect: async () => {
 *     const client = await pool.connect();
 *     return { store: new MyStore(client), close: async () => client.release() };
 *   },
 *   readEvents: (userId) => readEventsOf(userId),
 * });
 */
export function storeContract(runner: Runner, options: StoreContractOptions): void {
  const { connect, readEvents, rounds = 20 } = options;
  const context: StoreTestContext = {
    runner,
    rounds,
    readEvents,
    withStores: async (count, test) => {
      const opened: StoreConnection[] = [];
      try {
        while (opened.length < count) opened.push(await connect());
        const [first, ...others] = opened.map(({ store }) => store);
        if (first) await test([first, ...others]);
      } finally {
        await Promise.all(opened.map(async ({ close }) => close?.()));
      }
    },
    test: (name, body) => {
      runner.it(name, () => context.withStores(1, ([store]) => body(store)));
    },
  };
  runner.describe('The store contract', () => {
    runner.describe('sets', () => setTests(context));
    runner.describe('staged sets', () => stagingTests(context));
    runner.describe('consuming codes', () => consumptionTests(context));
    runner.describe('repeating a consumption', () => repeatedConsumptionTests(context));
    runner.describe('attempts', () => attemptTests(context));
    runner.describe('recovery attempts by network', () => networkTests(context));
    runner.describe('giving attempts back', () => giveBackTests(context));
    runner.describe('writing events and locking channels', () => appendTests(context));
    runner.describe('unknown user names', () => unknownNameTests(context));
    runner.describe('forgetting a user', () => forgetTests(context));
    runner.describe('unlocking a channel', () => unlockTests(context));
    runner.describe('namespaces', () => namespaceTests(context));
    runner.describe('pruning users', () => pruneTests(context));
    runner.describe('replaying exported events', () => replayTests(context));
    runner.describe('races for codes and attempts', () => raceTests(context));
    runner.describe('races between sets', () => setRaceTests(context));
    runner.describe('races with forgetting a user', () => accountRaceTests(context));
  });
}
