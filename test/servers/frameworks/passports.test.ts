// Runs docs/older-versions.md on every Passport from 0.4 and on Express 4 and 5.
import { STATUS_CODES } from 'node:http';
import {
  changed,
  giveCode,
  hostTests,
  unfinishedLoginTests,
  PASSWORD,
  pendingPerson,
} from './contract';
import { filesOf, install, start, type Host } from './host';

const page = filesOf('docs/older-versions.md')['app.js']!;
const versions = ['0.4', '0.5', '0.6', '0.7'].flatMap((passport) =>
  [4, 5].map((express) => [passport, express] as const),
);

/** A logout and a login that know nothing of this package, and keep all that is in the session. */
const PLAIN_LOGIN = `
const answer = (res, next) => (error) => (error ? next(error) : res.json({}));
app.post('/logout', (req, res, next) => {
  if (req.logout.length < 2) answer(res, next)(req.logout());
  else req.logout({ keepSessionInfo: true }, answer(res, next));
});
app.post('/plain-login', passport.authenticate('local', { session: false }), (req, res, next) => {
  req.login(req.user, { keepSessionInfo: true }, answer(res, next));
});
const { endLogin } = await import('passport-backup-code/express');
app.post('/end', (req, res, next) => {
  endLogin(req).then(() => res.json({ user: req.user ?? null }), next);
});
app.get('/plain-me', (req, res) => res.json(req.user));
`;

/** Imports the packages by their aliases in the lock file. */
const aliased = (code: string, passport: string, express: number): string =>
  changed(
    changed(code, "from 'passport'", `from 'passport-${passport}'`),
    "from 'express'",
    `from 'express-${express}'`,
  );

beforeAll(() => install('passports'), 300_000);

describe.each(versions)('Passport %s on Express %i', (passport, express) => {
  let hosts: Host[] = [];
  beforeAll(async () => {
    const apps = [
      page,
      changed(page, 'done(null, user.id)', "done(new Error('no session today'))"),
      changed(page, 'app.listen(3000);', `${PLAIN_LOGIN}app.listen(3000);`),
    ];
    hosts = await Promise.all(
      apps.map((app) =>
        start('passports', {
          files: { 'app.js': aliased(app, passport, express) },
          main: 'app.js',
        }),
      ),
    );
  });
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  hostTests(() => hosts[0]!, {
    refused: (status) => STATUS_CODES[status],
    welcomed: () => 'See Other. Redirecting to /',
    failed: expect.stringContaining('the hash is broken'),
  });
  unfinishedLoginTests(() => hosts[1]!);

  it('endLogin ends the login and its record', async () => {
    const { visitor, codes, name } = await pendingPerson(hosts[2]!);
    await giveCode(visitor, codes[0]!);
    const before = visitor.copy();
    expect((await visitor.post('/end', {})).body).toEqual({ user: null });
    expect((await before.get('/plain-me')).body).not.toEqual(expect.objectContaining({ name }));
    expect((await visitor.get('/plain-me')).body).not.toEqual(expect.objectContaining({ name }));
    await visitor.post('/plain-login', { username: name, password: PASSWORD });
    expect((await visitor.get('/me')).status).toBe(401);
  });

  it('the record of a login does not count for a plain login of the same user after a logout', async () => {
    const { visitor, codes, name } = await pendingPerson(hosts[2]!);
    await giveCode(visitor, codes[0]!);
    expect((await visitor.get('/me')).status).toBe(200);
    await visitor.post('/logout', {});
    expect((await visitor.get('/me')).status).toBe(401);
    await visitor.post('/plain-login', { username: name, password: PASSWORD });
    expect((await visitor.get('/plain-me')).body).toMatchObject({ name });
    expect((await visitor.get('/me')).status).toBe(401);
  });
});
