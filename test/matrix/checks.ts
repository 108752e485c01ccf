// The checks for each version of Node, which are the rows of the table. A check throws if it fails.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ES_MODULE_OUTPUT, EXPECTED_RESPONSES, type CommonJsOutput } from '../helpers/packed';
import { redis } from '../helpers/servers/redis';
import type { App } from './app';
import { installTypescript } from './programs';
import { APPS, majorOf, runsOn, TYPESCRIPTS, type AppName, type Node } from './versions';

export interface Check {
  readonly name: string;
  /** The app in which the check runs. */
  readonly app: AppName;
  /**
   * Whether the check runs on this Node.
   *
   * @default every Node
   */
  readonly isFor?: (node: Node) => boolean;
  /** Why the check cannot run on this machine, or `null`. */
  readonly missing?: () => string | null;
  readonly run: (app: App) => Promise<void>;
}

const ROOT = join(__dirname, '../..');
const FIRST_NODE_WITH_SQLITE = 22;
const APP_NAMES = ['oldest', 'newest'] as const;

export const CHECKS: readonly Check[] = [
  // Jest cannot require the newest Kysely, which has no CommonJS build.
  { name: 'the quick tests, on the packed package', app: 'oldest', run: runQuickTests },
  ...APP_NAMES.flatMap((app) => onExpress(app)),
  {
    name: `Jest ${APPS.newest.jest} in the app of a consumer`,
    app: 'newest',
    run: runNode(['node_modules/jest/bin/jest.js', '--rootDir', 'jest']),
  },
  {
    name: `Vitest ${APPS.newest.vitest} in the app of a consumer`,
    app: 'newest',
    run: runNode(['node_modules/vitest/vitest.mjs', 'run', '--root', 'vitest']),
  },
  ...APP_NAMES.map((app) => onKysely(app)),
  ...APP_NAMES.map((app) => onNodeSqlite(app)),
  {
    name: `SqlStore on PGlite, by Kysely ${APPS.newest.kysely}`,
    app: 'newest',
    isFor: (node) => runsOn(`kysely@${APPS.newest.kysely}`, node),
    run: runNode(['--test', 'pglite.mjs']),
  },
  ...APP_NAMES.map((app) => ({
    name: `RedisStore on redis ${APPS[app].redis}`,
    app,
    missing: redis.missing,
    run: runOnRedis,
  })),
];

async function runQuickTests({ directory, node }: App): Promise<void> {
  await node(
    [join(ROOT, 'node_modules/jest/bin/jest.js'), '--config', join(__dirname, 'jest.config.js')],
    {
      cwd: ROOT,
      env: { PACKAGE_UNDER_TEST: join(directory, 'node_modules/passport-backup-code') },
    },
  );
}

function onExpress(app: AppName): Check[] {
  const { express } = APPS[app];
  return [
    {
      name: `a CommonJS app on Express ${express}`,
      app,
      run: async ({ node }) => {
        const { express: major, responses } = JSON.parse(await node(['app.cjs'])) as CommonJsOutput;
        assert.deepEqual(
          { major, responses: responses.filter((_, index) => index % 2 === 0) },
          { major: express, responses: EXPECTED_RESPONSES },
        );
      },
    },
    {
      name: `an ES module app on Express ${express}`,
      app,
      run: async ({ node }) =>
        assert.deepEqual(JSON.parse(await node(['app.mjs'])), ES_MODULE_OUTPUT),
    },
    ...TYPESCRIPTS.map((version): Check => ({
      name: `TypeScript ${version}, with the types of Express ${express}`,
      app,
      run: async ({ node }) => {
        await node([await installTypescript(version), '-p', '.']);
      },
    })),
  ];
}

function onKysely(app: AppName): Check {
  const { kysely } = APPS[app];
  return {
    name: `SqlStore on Kysely ${kysely}`,
    app,
    isFor: (node) => runsOn(`kysely@${kysely}`, node),
    run: runNode(['--test', 'kysely.mjs']),
  };
}

function onNodeSqlite(app: AppName): Check {
  const { kysely } = APPS[app];
  return {
    name: `SqlStore on node:sqlite, by Kysely ${kysely}`,
    app,
    isFor: (node) => majorOf(node) >= FIRST_NODE_WITH_SQLITE,
    run: runNode(['--test', 'node-sqlite.mjs']),
  };
}

async function runOnRedis({ node }: App): Promise<void> {
  const server = await redis.start();
  try {
    await node(['--test', 'redis.mjs'], { env: { REDIS_URL: server.url } });
  } finally {
    await server.stop();
  }
}

/** A check that passes if Node ends with 0. */
function runNode(args: readonly string[]): Check['run'] {
  return async ({ node }) => {
    await node(args);
  };
}
