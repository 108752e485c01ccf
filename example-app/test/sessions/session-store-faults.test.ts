// Faults of the session store: no user is logged in, the process continues, and the user sees what
// they can do.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { ConnectSessionKnexStore } from 'connect-session-knex';
import type { SessionData } from 'express-session';
import { openSessions } from '../../src/sessions/session-store';
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, tokenIn, Visitor } from '../helpers/visitor';

describe('Faults of the session store', () => {
  let service: Service;
  beforeEach(async () => {
    service = await startService();
  });
  afterEach(() => service.stop());

  /** Runs a statement in the session database, to simulate a fault such as a full disk. */
  function changeSessions(statement: string): void {
    const file = new Sqlite(join(service.dataDir, 'sessions.sqlite'));
    file.exec(statement);
    file.close();
  }

  test('If sessions cannot be written, a valid code is used up without a login', async () => {
    const { codes, userId } = await enroll(service);
    const visitor = await givePassword(service);
    const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
    changeSessions(`
      create trigger full before insert on sessions
      begin select raise(abort, 'disk full'); end`);
    const answer = await visitor.post('/login/backup-code', { _csrf, code: codes[0]! });
    expect(answer.status).toBe(500);
    expect(answer.text).toContain('You are not logged in');
    expect(answer.text).not.toContain('disk full');
    expect(service.faults).toEqual([expect.objectContaining({ code: 'login_unfinished' })]);
    expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });

    changeSessions('drop trigger full');
    expect(await visitor.isLoggedIn()).toBe(false);
    const again = await givePassword(service);
    expect((await again.submit('/login/backup-code', { code: codes[0]! })).status).toBe(401);
    expect((await again.submit('/login/backup-code', { code: codes[1]! })).status).toBe(303);
  });

  test('If sessions cannot be read, pages say only that something went wrong', async () => {
    await enroll(service);
    const visitor = await givePassword(service);
    changeSessions('alter table sessions rename to elsewhere');
    const answer = await visitor.get('/login/backup-code');
    expect([
      answer.status,
      answer.text.includes('Something went wrong'),
      answer.text.includes('sessions'),
    ]).toEqual([500, true, false]);
    expect(await new Visitor(service).get('/healthz')).toMatchObject({ status: 200 });
  });
});

test('A store that fails calls its callback once and does not reject', async () => {
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
  const errors: unknown[] = [];
  await expect(store.get('id', (error) => errors.push(error))).resolves.toBeNull();
  await expect(store.set('id', session, (error) => errors.push(error))).resolves.toBeUndefined();
  await expect(
    store.touch('id', session, (error?: unknown) => errors.push(error)),
  ).resolves.not.toThrow();
  await expect(store.destroy('id', (error) => errors.push(error))).resolves.toBe(0);
  expect(errors).toEqual(Array.from({ length: 4 }, () => expect.any(Error) as Error));
  rmSync(dataDir, { recursive: true });
});

test('A store that is closed during a cleanup schedules no other', async () => {
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
