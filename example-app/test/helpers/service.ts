// The real service on a free port, with its own data and a clock that the test controls.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEvent } from 'passport-backup-code';
import { type AppOptions, createApp, type RunningApp } from '../../src/app';
import { readConfig } from '../../src/config';
import { quickHasher } from './quick-hasher';

/** Other suites may compute hashes at the same time. The screenshots run without Jest. */
if (typeof jest !== 'undefined') jest.setTimeout(60_000);

export interface Service extends Pick<RunningApp, 'app' | 'backupCodes'> {
  readonly url: string;
  readonly dataDir: string;
  readonly faults: unknown[];
  readonly events: AuditEvent[];
  now(): number;
  forward(seconds: number): void;
  stop(): Promise<void>;
}

/**
 * Uses fast hashes, because these tests do not depend on the real ones. A given `DATA_DIR` is not
 * deleted with the service.
 */
export async function startService(
  env: Record<string, string> = {},
  options: AppOptions = {},
): Promise<Service> {
  const dataDir = env.DATA_DIR ?? mkdtempSync(join(tmpdir(), 'backup-code-example-'));
  const faults: unknown[] = [];
  let skippedMs = 0;
  const now = (): number => Date.now() + skippedMs;
  const { app, backupCodes, close } = await createApp(
    readConfig({ PORT: '0', ...env, DATA_DIR: dataDir }),
    {
      now,
      passwordCost: 4,
      backupCodes: { hasher: quickHasher },
      report: (error) => faults.push(error),
      ...options,
    },
  );
  const events: AuditEvent[] = [];
  for (const type of ['activated', 'consumed', 'rejected', 'throttled', 'revoked'] as const)
    backupCodes.on(type, (event) => events.push(event));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(Number(env.PORT ?? 0), '127.0.0.1', resolve));
  return {
    app,
    backupCodes,
    dataDir,
    faults,
    events,
    now,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forward: (seconds) => {
      skippedMs += seconds * 1000;
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await close();
      if (env.DATA_DIR === undefined) rmSync(dataDir, { recursive: true });
    },
  };
}
