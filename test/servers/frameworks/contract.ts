// What every host promises, asked over HTTP: POST /login takes a password, POST /login/backup-code
// a code, and GET /me is for those who showed both. How a host words its refusals is for its own
// test to say.
import type { Host } from './host';
import type { Answer, Visitor } from './visitor';

export interface Manners {
  /** The body of a refusal. */
  readonly refused: (status: number, code: string) => unknown;
  /** The body of a failure that this host's own error handling made of an error. */
  readonly failed: unknown;
  /** The body that answers a right code. */
  readonly welcomed: (name: string) => unknown;
}

export const PASSWORD = 'correct horse';
export const WRONG = 'AAAA-AAAA';
let people = 0;

export interface Person {
  readonly name: string;
  readonly id: string;
  readonly codes: string[];
  readonly visitor: Visitor;
}

/** Somebody with codes, and a browser that was nowhere. */
export async function newPerson(host: Host): Promise<Person> {
  const name = `person-${(people += 1)}`;
  return {
    name,
    ...(await host.ask<{ id: string; codes: string[] }>('enrol', name)),
    visitor: host.visitor(),
  };
}

/** Somebody who has shown the password. */
export async function pendingPerson(host: Host): Promise<Person> {
  const person = await newPerson(host);
  expect(
    (await person.visitor.post('/login', { username: person.name, password: PASSWORD })).status,
  ).toBeLessThan(400);
  return person;
}

export const giveCode = (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.post('/login/backup-code', { code });

export function itIsServed(host: () => Host, { refused, failed, welcomed }: Manners): void {
  const refusal = (status: number, code: string): unknown => ({
    status,
    body: refused(status, code),
    headers: expect.anything(),
  });
  const isIn = async (visitor: Visitor, name: string): Promise<void> =>
    expect(await visitor.get('/me')).toMatchObject({ status: 200, body: { name } });
  const isOut = async (visitor: Visitor): Promise<void> =>
    expect((await visitor.get('/me')).status).toBe(401);

  afterEach(async () => {
    const settled = await host().ask<string[][]>('settlements');
    expect(settled.filter((actions) => actions.length !== 1 || actions[0] === 'pass')).toEqual([]);
  });

  it('the password alone logs nobody in', async () => {
    const { visitor } = await pendingPerson(host());
    await isOut(visitor);
  });

  it('a right code after it does, under another session id', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    const before = visitor.copy();
    expect((await giveCode(visitor, codes[0]!)).body).toEqual(welcomed(name));
    await isIn(visitor, name);
    await isOut(before);
    expect(await host().ask('remaining', id)).toBe(2);
  });

  it('the password again begins under another session id, and the login that was pending is over', async () => {
    const { visitor, codes, name } = await pendingPerson(host());
    const before = visitor.copy();
    await visitor.post('/login', { username: name, password: PASSWORD });
    expect(await giveCode(before, codes[0]!)).toEqual(refusal(401, 'login_required'));
    await giveCode(visitor, codes[0]!);
    await isIn(visitor, name);
  });

  it('once logged in nothing is pending any more, and no second code is taken', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    await giveCode(visitor, codes[0]!);
    expect((await giveCode(visitor, codes[1]!)).status).toBeGreaterThan(400);
    expect(await host().ask('remaining', id)).toBe(2);
    await isIn(visitor, name);
  });

  it('a form does as well as JSON', async () => {
    const { visitor, codes, name } = await newPerson(host());
    await visitor.postForm('/login', { username: name, password: PASSWORD });
    await visitor.postForm('/login/backup-code', { code: codes[0]!.toLowerCase() });
    await isIn(visitor, name);
  });

  it('a code without the password opens nothing and stays unspent', async () => {
    const { visitor, codes, id } = await newPerson(host());
    expect(await giveCode(visitor, codes[0]!)).toEqual(refusal(401, 'login_required'));
    expect(await host().ask('remaining', id)).toBe(3);
  });

  it('a wrong code, a spent one and that of another are refused alike', async () => {
    const [first, second] = [await pendingPerson(host()), await pendingPerson(host())];
    await giveCode(first.visitor, first.codes[0]!);
    const again = first.visitor.copy();
    await again.post('/login', { username: first.name, password: PASSWORD });
    for (const code of [WRONG, first.codes[0]!, second.codes[0]!]) {
      expect(await giveCode(again, code)).toEqual(refusal(401, 'invalid_code'));
      await isOut(again);
    }
    expect(await host().ask('remaining', second.id)).toBe(3);
  });

  it('what is no code is told so, and charged to nobody', async () => {
    const { visitor, codes, name } = await pendingPerson(host());
    for (let i = 0; i < 4; i += 1)
      expect(await giveCode(visitor, '123456')).toEqual(refusal(400, 'malformed'));
    expect(await visitor.send('/login/backup-code', { method: 'POST' })).toEqual(
      refusal(400, 'malformed'),
    );
    expect(await visitor.post(`/login/backup-code?code=${codes[0]!}`, {})).toEqual(
      refusal(400, 'malformed'),
    );
    await giveCode(visitor, codes[0]!);
    await isIn(visitor, name);
  });

  it('too many wrong codes are told to wait, and for how long', async () => {
    const { visitor, codes } = await pendingPerson(host());
    for (let i = 0; i < 3; i += 1) expect((await giveCode(visitor, WRONG)).status).toBe(401);
    const early = await giveCode(visitor, codes[0]!);
    expect(early).toEqual(refusal(429, 'too_many_attempts'));
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(50);
    await isOut(visitor);
  });

  it('what fails inside ends in the error handling of the app, lets nobody in, and spends nothing', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    await host().ask('break');
    const answer = await giveCode(visitor, codes[0]!);
    await host().ask('mend');
    expect(answer).toEqual({ status: 500, body: failed, headers: expect.anything() });
    await isOut(visitor);
    expect(await host().ask('remaining', id)).toBe(3);
    await giveCode(visitor, codes[0]!);
    await isIn(visitor, name);
  });

  it('two people at once through one strategy are each answered for themselves', async () => {
    const [slow, quick] = [await pendingPerson(host()), await pendingPerson(host())];
    const held = host().ask('untilHeld');
    await host().ask('hold');
    const answer = giveCode(slow.visitor, slow.codes[0]!);
    await held;
    expect((await giveCode(quick.visitor, WRONG)).status).toBe(401);
    await isOut(quick.visitor);
    expect((await giveCode(quick.visitor, quick.codes[0]!)).body).toEqual(welcomed(quick.name));
    await isIn(quick.visitor, quick.name);
    await isOut(slow.visitor.copy());
    await host().ask('letGo');
    expect((await answer).body).toEqual(welcomed(slow.name));
    await isIn(slow.visitor, slow.name);
    await isIn(quick.visitor, quick.name);
  });

  it('one code sent twenty times at once lets exactly one request through', async () => {
    const { visitor, codes, id } = await pendingPerson(host());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => giveCode(visitor.copy(), codes[0]!)),
    );
    expect(answers.filter(({ status }) => status < 400)).toHaveLength(1);
    expect(await host().ask('remaining', id)).toBe(2);
  });

  it('whoever logs in as somebody else is no longer who they were', async () => {
    const [first, second] = [await pendingPerson(host()), await newPerson(host())];
    await giveCode(first.visitor, first.codes[0]!);
    await isIn(first.visitor, first.name);
    await first.visitor.post('/login', { username: second.name, password: PASSWORD });
    await isOut(first.visitor);
    await giveCode(first.visitor, second.codes[0]!);
    await isIn(first.visitor, second.name);
  });
}

/** @param failing the same app, but that no session can be made for a user */
export function itTellsOfAnUnfinishedLogin(failing: () => Host): void {
  it('a login that fails after the code was consumed is answered, logs nobody in, and is in the trail', async () => {
    const { visitor, codes, id } = await pendingPerson(failing());
    expect((await giveCode(visitor, codes[0]!)).status).toBe(500);
    expect((await visitor.get('/me')).status).toBe(401);
    expect((await failing().ask<string[]>('events', id)).slice(-2)).toEqual([
      'consumed',
      'login_unfinished',
    ]);
    expect(
      (await failing().ask<string[][]>('settlements')).map((actions) => actions.length),
    ).toEqual([1]);
  });
}

/** The code of a page with one part of it replaced. @throws where there is no such part */
export function changed(code: string | undefined, part: string, replacement: string): string {
  if (code?.includes(part) !== true) throw new Error(`the page does not say: ${part}`);
  return code.replace(part, replacement);
}
