// Faults of the session store: nobody gets in, the process goes on, and the person is told how they
// can.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { ConnectSessionKnexStore } from 'connect-session-knex';
import type { SessionData } from 'express-session';
import { openSessions } from '../../src/sessions/session-store';
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, tokenIn, Visitor } from '../helpers/visitor';

describe('with sessions that cannot be written', () => {
  let service: Service;
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.stop());

  /** As a full disk does, but only for what is told to. */
  function inSessions(statement: string): void {
    const file = new Sqlite(join(service.dataDir, 'sessions.sqlite'));
    file.exec(statement);
    file.close();
  }

  test('a right code lets nobody in and is spent; the next one works once they can be written again', async () => {
    const { codes, userId } = await enroll(service);
    const visitor = await givePassword(service);
    const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
    inSessions(
      "create trigger full before insert on sessions begin select raise(abort, 'disk full'); end",
    );
    const answer = await visitor.post('/login/backup-code', { _csrf, code: codes[0]! });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('You are not logged in');
    expect(answer.text).not.toContain('disk full');
    expect(service.faults).toEqual([expect.objectContaining({ code: 'login_unfinished' })]);
    expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });

    inSessions('drop trigger full');
    expect(await visitor.isLoggedIn()).toBe(false);
    const again = await givePassword(service);
    expect((await again.submit('/login/backup-code', { code: codes[0]! })).status).toBe(401);
    expect((await again.submit('/login/backup-code', { code: codes[1]! })).status).toBe(303);
  });

  test('pages say that something went wrong, and no more', async () => {
    await enroll(service);
    const visitor = await givePassword(service);
    inSessions('alter table sessions rename to elsewhere');
    const answer = await visitor.get('/login/backup-code');
    expect([
      answer.status,
      answer.text.includes('Something went wrong'),
      answer.text.includes('sessions'),
    ]).toEqual([500, true, false]);
    expect(await new Visitor(service).get('/healthz')).toMatchObject({ status: 200 });
  });
});

test('a store that fails tells its callback once, and rejects nothing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'backup-code-sessions-'));
  const { store, close } = await openSessions(
    { dataDir, database: null },
    { redis: null, report: () => undefined },
  );
  if (!(store instanceof ConnectSessionKnexStore))
    throw new Error('sessions are not in a database');
  await close();
  const session = {
    cookie: { expires: new Date(), originalMaxAge: 1000 },
  } as unknown as SessionData;
  const told: unknown[] = [];
  await expect(store.get('id', (error) => told.push(error))).resolves.toBeNull();
  await expect(store.set('id', session, (error) => told.push(error))).resolves.toBeUndefined();
  await expect(
    store.touch('id', session, (error?: unknown) => told.push(error)),
  ).resolves.not.toThrow();
  await expect(store.destroy('id', (error) => told.push(error))).resolves.toBe(0);
  expect(told).toEqual(Array.from({ length: 4 }, () => expect.any(Error) as Error));
  rmSync(dataDir, { recursive: true });
});

test('a store that is closed while it cleans up never cleans up again', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'backup-code-sessions-'));
  const faults: unknown[] = [];
  const setTimers = jest.spyOn(globalThis, 'setTimeout');
  const cleared = jest.spyOn(globalThis, 'clearTimeout');
  const { close } = await openSessions(
    { dataDir, database: null },
    { redis: null, report: (error) => faults.push(error) },
  );
  await close();
  const inAMinute = setTimers.mock.calls.flatMap(([, ms], call) =>
    ms === 60_000 ? [setTimers.mock.results[call]!.value as unknown] : [],
  );
  const ended = new Set<unknown>(cleared.mock.calls.map(([timer]) => timer));
  expect(inAMinute.length).toBeGreaterThan(0);
  expect(inAMinute.filter((timer) => !ended.has(timer)).length).toBe(0);
  expect(faults).toEqual([]);
  setTimers.mockRestore();
  cleared.mockRestore();
  rmSync(dataDir, { recursive: true });
});
