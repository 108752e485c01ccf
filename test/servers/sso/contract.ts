// The tests of every provider of single sign-on, over HTTP. An assertion begins a login, and a
// second factor of the app completes it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { changed, WRONG, type Person } from '../frameworks/contract';
import { filesOf, type Host } from '../frameworks/host';
import type { Answer, Visitor } from '../frameworks/visitor';

const read = (file: string): string => readFileSync(join(__dirname, file), 'utf8');
const page = filesOf('docs/single-sign-on.md');

/** The app of the page, with the given provider. */
export function appWith(provider: object, kind: 'oidc' | 'saml'): Readonly<Record<string, string>> {
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

/** A provider that signs on any user that a test names. */
export interface Provider {
  readonly app: Host;
  /**
   * Signs a user on in this browser. @param amr the methods in the assertion; if empty, it names
   * none. @returns the answer of the app's callback
   */
  signOn(visitor: Visitor, name: string, amr: readonly string[]): Promise<Answer>;
}

let people = 0;

/** Makes a user with codes and a new name. */
export async function enrol(app: Host, prefix = 'person'): Promise<Person> {
  const name = `${prefix}-${(people += 1)}`;
  return {
    name,
    ...(await app.ask<{ id: string; codes: string[] }>('enrol', name)),
    visitor: app.visitor(),
  };
}

/** Sends a code as the form of the page does. */
export const giveCode = (visitor: Visitor, code: string): Promise<Answer> =>
  visitor.postForm('/login/backup-code', { code });

export const expectLoggedOut = async (visitor: Visitor): Promise<void> =>
  expect((await visitor.get('/me')).status).toBe(401);
export const expectLoggedIn = async (visitor: Visitor, name: string): Promise<void> =>
  expect(await visitor.get('/me')).toMatchObject({ status: 200, body: { name } });

/** Expects that a valid code logs no user in from this browser and stays unconsumed. */
export async function expectNothingPending(
  app: Host,
  visitor: Visitor,
  { codes, id }: Pick<Person, 'codes' | 'id'>,
): Promise<void> {
  expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
  await expectLoggedOut(visitor);
  expect([await app.ask('remaining', id), await app.ask('events', id)]).toEqual([3, ['issued']]);
}

/** @param assertions the `amr` of three assertions of this provider */
export function providerTests(
  provider: () => Provider,
  assertions: Readonly<Record<'password' | 'mfa' | 'nothing', readonly string[]>>,
): void {
  const app = (): Host => provider().app;
  const signOn = (visitor: Visitor, name: string, amr: readonly string[]): Promise<Answer> =>
    provider().signOn(visitor, name, amr);

  it('An assertion alone logs no user in', async () => {
    const { visitor, name } = await enrol(app());
    expect((await signOn(visitor, name, assertions.password)).headers.get('location')).toBe(
      '/login/backup-code',
    );
    await expectLoggedOut(visitor);
    expect((await visitor.get('/danger')).status).toBe(401);
  });

  it('After an invalid code a valid one still completes the login', async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, assertions.password);
    expect((await giveCode(visitor, WRONG)).status).toBe(401);
    await expectLoggedOut(visitor);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(200);
    await expectLoggedIn(visitor, name);
  });

  it('A valid code after an assertion logs in once, under a new session id', async () => {
    const { visitor, name, codes, id } = await enrol(app());
    await signOn(visitor, name, assertions.password);
    const before = visitor.copy();
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({
      methods: ['sso', 'backup-code'],
      amr: ['pwd', 'otp', 'mfa'],
      acr: 'aal2',
    });
    await expectLoggedIn(visitor, name);
    expect((await visitor.get('/danger')).status).toBe(200);
    await expectLoggedOut(before);
    await signOn(visitor, name, assertions.password);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
    await expectLoggedOut(visitor);
    expect(await app().ask('remaining', id)).toBe(2);
  });

  it('If the provider names no factors, the login records none for it', async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, assertions.nothing);
    expect((await giveCode(visitor, codes[0]!)).body).toMatchObject({
      amr: ['fed', 'otp'],
      acr: 'aal1',
    });
    expect((await visitor.get('/danger')).status).toBe(200);
  });

  it('The mfa of a provider is recorded, and a second factor is still needed', async () => {
    const { visitor, name, codes } = await enrol(app());
    await signOn(visitor, name, assertions.mfa);
    await expectLoggedOut(visitor);
    const { body } = await giveCode(visitor, codes[0]!);
    expect(body).toMatchObject({ acr: 'aal2' });
    expect(new Set((body as { amr: string[] }).amr)).toEqual(
      new Set([...assertions.mfa, 'otp', 'mfa']),
    );
  });

  it('A policy may accept the mfa of a provider, except on pages with a guard', async () => {
    const { visitor, name, codes, id } = await enrol(app(), 'trusted');
    expect((await signOn(visitor, name, assertions.mfa)).headers.get('location')).toBe('/me');
    await expectLoggedIn(visitor, name);
    expect((await visitor.get('/danger')).status).toBe(401);
    expect((await giveCode(visitor, codes[0]!)).status).toBe(401);
    expect(await app().ask('remaining', id)).toBe(3);
    await signOn(visitor, name, assertions.password);
    await expectLoggedOut(visitor);
  });

  it('The next user in the same browser inherits no login and no pending login', async () => {
    const [first, second] = [await enrol(app()), await enrol(app())];
    await signOn(first.visitor, first.name, assertions.password);
    await signOn(first.visitor, second.name, assertions.password);
    expect((await giveCode(first.visitor, first.codes[0]!)).status).toBe(401);
    await expectLoggedOut(first.visitor);
    await giveCode(first.visitor, second.codes[0]!);
    await expectLoggedIn(first.visitor, second.name);
    await signOn(first.visitor, first.name, assertions.nothing);
    await expectLoggedOut(first.visitor);
    expect((await giveCode(first.visitor, first.codes[0]!)).body).toMatchObject({
      amr: ['fed', 'otp'],
    });
    await expectLoggedIn(first.visitor, first.name);
  });

  it('A subject without an account gets no pending login', async () => {
    const person = await enrol(app());
    expect((await signOn(person.visitor, 'stranger', assertions.mfa)).status).toBe(401);
    await expectNothingPending(app(), person.visitor, person);
  });
}
