// What is tried on each Node: the rows of the table. Each throws with what was said, or is fine.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ES_MODULE_OUTPUT, EXPECTED_RESPONSES, type CommonJsOutput } from '../helpers/packed';
import { redis } from '../helpers/servers/redis';
import type { App } from './app';
import { typescriptProgram } from './programs';
import { APPS, runsOn, TYPESCRIPTS, type AppName, type Node } from './versions';

export interface Check {
  readonly name: string;
  /** The app it is run in. */
  readonly app: AppName;
  /** Whether it is meant for that Node; left out: for all. */
  readonly isFor?: (node: Node) => boolean;
  /** What is missing on this machine, or `null`. */
  readonly missing?: () => string | null;
  readonly run: (app: App) => Promise<void>;
}

const ROOT = join(__dirname, '../..');
const APP_NAMES = ['oldest', 'newest'] as const;

export const CHECKS: readonly Check[] = [
  // In the app whose Kysely is CommonJS: Jest cannot require the other.
  { name: 'the quick tests, on what was packed', app: 'oldest', run: runQuickTests },
  ...APP_NAMES.flatMap((app) => onExpress(app)),
  {
    name: `Jest ${APPS.newest.jest} of the consumer`,
    app: 'newest',
    run: quietly(['node_modules/jest/bin/jest.js', '--rootDir', 'jest']),
  },
  {
    name: `Vitest ${APPS.newest.vitest} of the consumer`,
    app: 'newest',
    run: quietly(['node_modules/vitest/vitest.mjs', 'run', '--root', 'vitest']),
  },
  ...APP_NAMES.map((app) => onKysely(app)),
  ...APP_NAMES.map((app) => ({
    name: `RedisStore on redis ${APPS[app].redis}`,
    app,
    missing: redis.missing,
    run: runOnRedis,
  })),
  // Here <BackupCodeSheet> joins, on React 18 in the oldest app and 19 in the newest.
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
        await node([await typescriptProgram(version), '-p', '.']);
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
    run: quietly(['--test', 'kysely.mjs']),
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

/** Where all it says is how it ends. */
function quietly(args: readonly string[]): Check['run'] {
  return async ({ node }) => {
    await node(args);
  };
}
