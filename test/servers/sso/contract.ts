// What is promised behind every provider, asked over HTTP: an assertion opens a pending login, and
// a factor of one's own completes it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changed, WRONG, type Person } from '../frameworks/contract';
import { filesOf, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';

const read = (file: string): string => readFileSync(join(__dirname, file), 'utf8');
const page = filesOf('docs/single-sign-on.md');

/** The app of the page, before the provider given. */
export function appBefore(
  provider: object,
  kind: 'oidc' | 'saml',
): Readonly<Record<string, string>> {
  const app = page['app.js'];
  return {
    ...page,
    'people.ts': read('../frameworks/child/yours.ts'),
    'yours.js': read('../../hosts/sso/yours.js'),
    'provider.js': `export const provider = ${JSON.stringify(provider)};`,
    'app.js':
      kind === 'oidc'
        ? app!
        : changed(
            changed(app, './oidc.js', './saml.js'),
            "app.get('/login/callback'",
            "app.post('/login/callback'",
          ),
  };
}

/** A provider that vouches for whoever it is told to. */
export interface Provider {
  readonly app: Host;
  /**
   * Signs somebody on in this browser. @param amr what the assertion says; none: nothing @returns
   * the answer of the app's callback
   */
  signOn(visitor: Visitor, name: string, amr: readonly string[]): Promise<Answer>;
}

let people = 0;

/** Somebody with codes, by a name that nobody had. */
export async function enrol(app: Host, prefix = 'person'): Promise<Person> {
  const name = `${prefix}-${(people += 1)}`;
  return {
    name,
    ...(await app.ask<{ id: string; codes: string[] }>('enrol', name)),
    visitor: app.visitor(),
  };
}

/** As the page's form does. */
export const giveCode = (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.postForm('/login/backup-code', { code });

export const isOut = async (visitor: Visitor): Promise<void> =>
  expect((await visitor.get('/me')).status).toBe(401);
export const isIn = async (visitor: Visitor, name: string): Promise<void> =>
  expect(await visitor.get('/me')).toMatchObject({ status: 200, body: { name } });

/** No login of theirs is pending in this browser: a right code opens nothing and stays unspent. */
export async function nothingIsPending(
  app: Host,
  visitor: Visitor,
  { codes, id }: Pick<Person, 'codes' | 'id'>,
): Promise<void> {
  expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
  await isOut(visitor);
  expect([await app.ask('remaining', id), await app.ask('events', id)]).toEqual([3, ['issued']]);
}

/** @param said the `amr` of three assertions of this provider */
export function itStandsBehind(
  provider: () => Provider,
  said: Readonly<Record<'password' | 'mfa' | 'nothing', readonly string[]>>,
): void {
  const app = (): Host => provider().app;
  const signOn = (visitor: Visitor, name: string, amr: readonly string[]): Promise<Answer> =>
    provider().signOn(visitor, name, amr);

  it('an assertion alone opens nothing', async () => {
    const { visitor, name } = await enrol(app());
    expect((await signOn(visitor, name, said.password)).headers.get('location')).toBe(
      '/login/backup-code',
    );
    await isOut(visitor);
    expect((await visitor.get('/danger')).status).toBe(401);
  });

  it('nor does it with a wrong code, after which the right one still works', async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, said.password);
    expect((await giveCode(visitor, WRONG)).status).toBe(401);
    await isOut(visitor);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(200);
    await isIn(visitor, name);
  });

  it('a right code completes the login under another session id, once, and what the assertion said is kept', async () => {
    const { visitor, name, codes, id } = await enrol(app());
    await signOn(visitor, name, said.password);
    const before = visitor.copy();
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({
      methods: ['sso', 'backup-code'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
    await isIn(visitor, name);
    expect((await visitor.get('/danger')).status).toBe(200);
    await isOut(before);
    await signOn(visitor, name, said.password);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
    await isOut(visitor);
    expect(await app().ask('remaining', id)).toBe(2);
  });

  it('of a provider that says nothing of its factors none is made up', async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, said.nothing);
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({
      amr: ['fed', 'otp'],
      acr: 'aal1',
    });
    expect((await visitor.get('/danger')).status).toBe(200);
  });

  it("the provider's mfa is kept, never made into more, and no excuse from a factor of one's own", async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, said.mfa);
    await isOut(visitor);
    const { body } = await giveCode(visitor, codes[0]!);
    expect(body).toMatchObject({ acr: 'aal2' });
    expect(new Set((body as { amr: string[] }).amr)).toEqual(new Set([...said.mfa, 'otp', 'mfa']));
  });

  it("the provider's mfa is enough for those for whom policy says so, but not for what asks for a factor of one's own", async () => {
    const { visitor, name, codes, id } = await enrol(app(), 'trusted');
    expect((await signOn(visitor, name, said.mfa)).headers.get('location')).toBe('/me');
    await isIn(visitor, name);
    expect((await visitor.get('/danger')).status).toBe(401);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
    expect(await app().ask('remaining', id)).toBe(3);
    await signOn(visitor, name, said.password);
    await isOut(visitor);
  });

  it('whoever signs on next in the same browser inherits nothing: not the login, not the pending one, not a code', async () => {
    const [first, second] = [await enrol(app()), await enrol(app())];
    await signOn(first.visitor, first.name, said.password);
    await signOn(first.visitor, second.name, said.password);
    expect((await giveCode(first.visitor, first.codes[0]!)).status).toBe(401);
    await isOut(first.visitor);
    await giveCode(first.visitor, second.codes[0]!);
    await isIn(first.visitor, second.name);
    await signOn(first.visitor, first.name, said.nothing);
    await isOut(first.visitor);
    expect((await giveCode(first.visitor, first.codes[0]!)).body).toMatchObject({
      amr: ['fed', 'otp'],
    });
    await isIn(first.visitor, first.name);
  });

  it('a subject that no account is linked to gets no pending login', async () => {
    const person = await enrol(app());
    expect((await signOn(person.visitor, 'stranger', said.mfa)).status).toBe(401);
    await nothingIsPending(app(), person.visitor, person);
  });
}
