// The suite for a store: every promise of the contract `BackupCodeStore`, and the races in which stores break them.
import type { AuditEvent } from '../audit/events';
import type { BackupCodeStore } from '../stores/contract';
import { attemptTests } from './attempt-tests';
import { raceTests } from './race-tests';
import type { Runner } from './runner';
import { setTests } from './set-tests';

/** One connection to the data; another sees what this one committed. */
export interface StoreConnection {
  readonly store: BackupCodeStore;
  /** Called when a test is done with it. */
  readonly close?: () => Promise<void>;
}

/** The store to be proved. */
export interface StoreContractOptions {
  /** Connects to one database that all tests share, empty or not. Called several times a test: each as another process would. */
  readonly connect: () => Promise<StoreConnection>;
  /** The events of a user as the store recorded them, the oldest first. */
  readonly readEvents: (
    userId: string,
  ) => Promise<
    readonly Pick<
      AuditEvent,
      'type' | 'reason' | 'setId' | 'codeId' | 'remaining' | 'total' | 'refusals'
    >[]
  >;
  /** How often each race is run. Default 20. */
  readonly rounds?: number;
}

/** What the groups of tests are handed. */
export interface Contract {
  readonly runner: Runner;
  readonly rounds: number;
  readonly readEvents: StoreContractOptions['readEvents'];
  /** Runs a test on `count` connections, and closes them. */
  readonly withStores: (
    count: number,
    test: (stores: readonly [BackupCodeStore, ...BackupCodeStore[]]) => Promise<void>,
  ) => Promise<void>;
  /** Declares a test on one connection. */
  readonly test: (name: string, body: (store: BackupCodeStore) => Promise<void>) => void;
}

/**
 * Declares the tests.
 *
 * @example storeContract({ describe, it }, { connect: async () => ({ store: new MyStore(client) }), readEvents });
 */
export function storeContract(
  runner: Runner,
  { connect, readEvents, rounds = 20 }: StoreContractOptions,
): void {
  const contract: Contract = {
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
      runner.it(name, () => contract.withStores(1, ([store]) => body(store)));
    },
  };
  runner.describe('a store of backup codes', () => {
    runner.describe('sets', () => setTests(contract));
    runner.describe('attempts', () => attemptTests(contract));
    runner.describe('races', () => raceTests(contract));
  });
}
