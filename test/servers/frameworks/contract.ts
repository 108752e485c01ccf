// The tests of every host, over HTTP. POST /login takes a password, POST /login/backup-code takes a
// code, and GET /me needs both. Each host passes the bodies of its own answers.
import type { Host } from './host';
import type { Answer, Visitor } from './visitor';

export interface HostAnswers {
  /** The body of a refusal. */
  readonly refused: (status: number, code: string) => unknown;
  /** The body that the error handling of the host makes of an error. */
  readonly failed: unknown;
  /** The body of the answer to a valid code. */
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

/** Makes a user with codes and a new browser. */
export async function newPerson(host: Host): Promise<Person> {
  const name = `person-${(people += 1)}`;
  return {
    name,
    ...(await host.ask<{ id: string; codes: string[] }>('enrol', name)),
    visitor: host.visitor(),
  };
}

/** Makes a user who has given the password. */
export async function pendingPerson(host: Host): Promise<Person> {
  const person = await newPerson(host);
  expect(
    (await person.visitor.post('/login', { username: person.name, password: PASSWORD })).status,
  ).toBeLessThan(400);
  return person;
}

export const giveCode = (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.post('/login/backup-code', { code });

export function hostTests(host: () => Host, { refused, failed, welcomed }: HostAnswers): void {
  const refusal = (status: number, code: string): unknown => ({
    status,
    body: refused(status, code),
    headers: expect.anything(),
  });
  const expectLoggedIn = async (visitor: Visitor, name: string): Promise<void> =>
    expect(await visitor.get('/me')).toMatchObject({ status: 200, body: { name } });
  const expectLoggedOut = async (visitor: Visitor): Promise<void> =>
    expect((await visitor.get('/me')).status).toBe(401);

  afterEach(async () => {
    const settled = await host().ask<string[][]>('settlements');
    expect(settled.filter((actions) => actions.length !== 1 || actions[0] === 'pass')).toEqual([]);
  });

  it('The password alone logs no user in', async () => {
    const { visitor } = await pendingPerson(host());
    await expectLoggedOut(visitor);
  });

  it('A valid code after the password logs in, under a new session id', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    const before = visitor.copy();
    expect((await giveCode(visitor, codes[0]!)).body).toEqual(welcomed(name));
    await expectLoggedIn(visitor, name);
    await expectLoggedOut(before);
    expect(await host().ask('remaining', id)).toBe(2);
  });

  it('The password, given again, ends the pending login and its session id', async () => {
    const { visitor, codes, name } = await pendingPerson(host());
    const before = visitor.copy();
    await visitor.post('/login', { username: name, password: PASSWORD });
    expect(await giveCode(before, codes[0]!)).toEqual(refusal(401, 'login_required'));
    await giveCode(visitor, codes[0]!);
    await expectLoggedIn(visitor, name);
  });

  it('After the login no second code is consumed', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    await giveCode(visitor, codes[0]!);
    expect((await giveCode(visitor, codes[1]!)).status).toBeGreaterThan(400);
    expect(await host().ask('remaining', id)).toBe(2);
    await expectLoggedIn(visitor, name);
  });

  it('A form works as well as JSON', async () => {
    const { visitor, codes, name } = await newPerson(host());
    await visitor.postForm('/login', { username: name, password: PASSWORD });
    await visitor.postForm('/login/backup-code', { code: codes[0]!.toLowerCase() });
    await expectLoggedIn(visitor, name);
  });

  it('A code without the password logs no user in and stays unconsumed', async () => {
    const { visitor, codes, id } = await newPerson(host());
    expect(await giveCode(visitor, codes[0]!)).toEqual(refusal(401, 'login_required'));
    expect(await host().ask('remaining', id)).toBe(3);
  });

  it('Invalid and used codes and those of another user get one refusal', async () => {
    const [first, second] = [await pendingPerson(host()), await pendingPerson(host())];
    await giveCode(first.visitor, first.codes[0]!);
    const again = first.visitor.copy();
    await again.post('/login', { username: first.name, password: PASSWORD });
    for (const code of [WRONG, first.codes[0]!, second.codes[0]!]) {
      expect(await giveCode(again, code)).toEqual(refusal(401, 'invalid_code'));
      await expectLoggedOut(again);
    }
    expect(await host().ask('remaining', second.id)).toBe(3);
  });

  it('Malformed input is refused as malformed and costs no attempt', async () => {
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
    await expectLoggedIn(visitor, name);
  });

  it('Too many invalid codes are answered with a wait in seconds', async () => {
    const { visitor, codes } = await pendingPerson(host());
    for (let i = 0; i < 3; i += 1) expect((await giveCode(visitor, WRONG)).status).toBe(401);
    const early = await giveCode(visitor, codes[0]!);
    expect(early).toEqual(refusal(429, 'too_many_attempts'));
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(50);
    await expectLoggedOut(visitor);
  });

  it('A failure goes to the error handling of the app and consumes no code', async () => {
    const { visitor, codes, name, id } = await pendingPerson(host());
    await host().ask('break');
    const answer = await giveCode(visitor, codes[0]!);
    await host().ask('mend');
    expect(answer).toEqual({ status: 500, body: failed, headers: expect.anything() });
    await expectLoggedOut(visitor);
    expect(await host().ask('remaining', id)).toBe(3);
    await giveCode(visitor, codes[0]!);
    await expectLoggedIn(visitor, name);
  });

  it('Two users at once on one strategy each get their own answer', async () => {
    const [slow, quick] = [await pendingPerson(host()), await pendingPerson(host())];
    const held = host().ask('untilHeld');
    await host().ask('hold');
    const answer = giveCode(slow.visitor, slow.codes[0]!);
    await held;
    expect((await giveCode(quick.visitor, WRONG)).status).toBe(401);
    await expectLoggedOut(quick.visitor);
    expect((await giveCode(quick.visitor, quick.codes[0]!)).body).toEqual(welcomed(quick.name));
    await expectLoggedIn(quick.visitor, quick.name);
    await expectLoggedOut(slow.visitor.copy());
    await host().ask('letGo');
    expect((await answer).body).toEqual(welcomed(slow.name));
    await expectLoggedIn(slow.visitor, slow.name);
    await expectLoggedIn(quick.visitor, quick.name);
  });

  it('Of twenty requests with one code at once exactly one succeeds', async () => {
    const { visitor, codes, id } = await pendingPerson(host());
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => giveCode(visitor.copy(), codes[0]!)),
    );
    expect(answers.filter(({ status }) => status < 400)).toHaveLength(1);
    expect(await host().ask('remaining', id)).toBe(2);
  });

  it('A login as another user logs the earlier user out', async () => {
    const [first, second] = [await pendingPerson(host()), await newPerson(host())];
    await giveCode(first.visitor, first.codes[0]!);
    await expectLoggedIn(first.visitor, first.name);
    await first.visitor.post('/login', { username: second.name, password: PASSWORD });
    await expectLoggedOut(first.visitor);
    await giveCode(first.visitor, second.codes[0]!);
    await expectLoggedIn(first.visitor, second.name);
  });
}

/** @param failing the same app, except that `serializeUser` fails */
export function unfinishedLoginTests(failing: () => Host): void {
  it('A login that fails after its code was consumed is answered and recorded', async () => {
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

/** Replaces one part in the code of a page. @throws if the code does not contain the part */
export function changed(code: string | undefined, part: string, replacement: string): string {
  if (code?.includes(part) !== true) throw new Error(`the page does not contain: ${part}`);
  return code.replace(part, replacement);
}
