// Security keys as a second factor: which answers are accepted, and how keys and backup codes work
// together.
import { type Service, startService } from '../helpers/service';
import { addKey, readOptions, showKey, SoftKey } from '../helpers/soft-key';
import { until } from '../helpers/until';
import {
  type Answer,
  enroll,
  errorIn,
  givePassword,
  keepCodes,
  PASSWORD,
  secretIn,
  signUp,
  tokenIn,
  totpAt,
  Visitor,
} from '../helpers/visitor';

const ORIGIN = 'https://codes.example.com';

let service: Service;
beforeEach(async () => {
  service = await startService({ PUBLIC_URL: ORIGIN });
});
afterEach(async () => {
  await service.stop();
  expect(service.faults).toEqual([]);
});

/** Signs up a user with a security key and no authenticator app. */
async function enrollWithKey(
  username = 'ada',
  key = new SoftKey(ORIGIN),
): Promise<{ visitor: Visitor; key: SoftKey; codes: string[]; userId: string }> {
  const visitor = await signUp(service, username);
  const codes = await keepCodes(visitor, await addKey(visitor, key));
  const { userId } = service.events.findLast(({ type }) => type === 'activated')!;
  return { visitor, key, codes, userId: userId! };
}

const removeKey = async (visitor: Visitor): Promise<Answer> => {
  const { text } = await visitor.get('/account/security-keys');
  return visitor.post('/account/security-keys/remove', {
    _csrf: tokenIn(text),
    id: /name="id" value="([^"]+)"/.exec(text)![1]!,
  });
};

describe('A security key', () => {
  test('The first key comes with ten codes and is then requested after the password', async () => {
    const { key } = await enrollWithKey();
    const visitor = await givePassword(service);
    expect(await visitor.isLoggedIn()).toBe(false);
    const { text } = await visitor.get('/login/second-factor');
    expect(text).toContain('Use your security key');
    expect(text).toContain('<a href="/login/backup-code">Use a backup code instead</a>');
    expect(text).not.toContain('Authenticator app');
    expect(await showKey(visitor, key)).toMatchObject({ status: 303, location: '/account' });
    expect(await visitor.isLoggedIn()).toBe(true);
  });

  test('A backup code replaces a lost key, and its user can add another key', async () => {
    const { codes } = await enrollWithKey();
    const visitor = await givePassword(service);
    expect(await visitor.submit('/login/backup-code', { code: codes[0]! })).toMatchObject({
      status: 303,
      location: '/account',
    });
    const newKey = new SoftKey(ORIGIN);
    expect(await addKey(visitor, newKey, 'Red key')).toMatchObject({
      status: 303,
      location: '/account/security',
    });
    expect(await showKey(await givePassword(service), newKey)).toMatchObject({
      status: 303,
      location: '/account',
    });
    expect(
      await (await givePassword(service)).submit('/login/backup-code', { code: codes[1]! }),
    ).toMatchObject({ status: 303 });
  });

  test('A key works beside an authenticator app, and the codes do not change', async () => {
    const { visitor, codes, newTotp } = await enroll(service);
    const key = new SoftKey(ORIGIN);
    expect(await addKey(visitor, key)).toMatchObject({
      status: 303,
      location: '/account/security',
    });
    expect(await showKey(await givePassword(service), key)).toMatchObject({
      status: 303,
      location: '/account',
    });
    expect(
      await (await givePassword(service)).submit('/login/second-factor', { code: newTotp() }),
    ).toMatchObject({ status: 303, location: '/account' });
    expect(
      await (await givePassword(service)).submit('/login/backup-code', { code: codes[0]! }),
    ).toMatchObject({ status: 303, location: '/account' });
  });

  test('A key counts as a fresh factor, and adding one needs a fresh factor', async () => {
    const { visitor, key } = await enrollWithKey();
    service.forward(301);
    expect(await visitor.get('/account/security-keys')).toMatchObject({
      status: 303,
      location: '/login/step-up',
    });
    expect(await visitor.submit('/account', {}, '/account/security-keys')).toMatchObject({
      status: 303,
      location: '/login/step-up',
    });
    expect(await showKey(visitor, key, '/login/step-up')).toMatchObject({ status: 303 });
    expect((await visitor.get('/account/security-keys')).status).toBe(200);
  });

  test('A synced key without a counter logs in too', async () => {
    const { key } = await enrollWithKey(
      'ada',
      new SoftKey(ORIGIN, { counts: false, isSynced: true }),
    );
    for (let login = 0; login < 2; login += 1)
      expect(await showKey(await givePassword(service), key)).toMatchObject({
        status: 303,
        location: '/account',
      });
  });

  test('Only the owner of a key can rename or remove it', async () => {
    const { visitor } = await enrollWithKey();
    const eve = (await enrollWithKey('eve')).visitor;
    const { text } = await visitor.get('/account/security-keys');
    const [, id] = /name="id" value="([^"]+)"/.exec(text)!;
    await eve.submit(
      '/account/security-keys',
      { id: id!, name: 'Mine' },
      '/account/security-keys/rename',
    );
    await eve.submit('/account/security-keys', { id: id! }, '/account/security-keys/remove');
    expect((await visitor.get('/account/security-keys')).text).toContain('Rename Blue key');
    await visitor.submit(
      '/account/security-keys',
      { id: id!, name: ' <b>Office</b> ' },
      '/account/security-keys/rename',
    );
    expect((await visitor.get('/account/security-keys')).text).toContain(
      'Rename &lt;b&gt;Office&lt;/b&gt;',
    );
  });
});

describe('An answer of a security key', () => {
  test('An answer is not accepted twice, in the same session or another', async () => {
    const { key } = await enrollWithKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    const response = key.answer(readOptions(text));
    const twin = visitor.copy();
    const other = await givePassword(service);
    expect(
      await visitor.post('/login/security-key', { _csrf: tokenIn(text), response }),
    ).toMatchObject({ status: 303, location: '/account' });
    expect(
      await twin.post('/login/security-key', { _csrf: tokenIn(text), response }),
    ).toMatchObject({ status: 303, location: '/' });
    const refused = await other.submit('/login/second-factor', { response }, '/login/security-key');
    expect([refused.status, errorIn(refused.text)]).toEqual([
      401,
      'That did not work. Try again, with a key of this account.',
    ]);
    expect([await twin.isLoggedIn(), await other.isLoggedIn()]).toEqual([false, false]);
  });

  test.each([true, false])(
    'An answer that is sent ten times at once logs in once (key with a counter: %s)',
    async (counts) => {
      const { key } = await enrollWithKey('ada', new SoftKey(ORIGIN, { counts }));
      const visitor = await givePassword(service);
      const { text } = await visitor.get('/login/second-factor');
      const fields = { _csrf: tokenIn(text), response: key.answer(readOptions(text)) };
      // Each form differs a little. Otherwise they would count as one form that is sent twice.
      const twins = Array.from({ length: 10 }, () => visitor.copy());
      await Promise.all(
        twins.map((twin, index) =>
          twin.post('/login/security-key', { ...fields, click: String(index) }),
        ),
      );
      expect(
        (await Promise.all(twins.map((twin) => twin.isLoggedIn()))).filter(Boolean),
      ).toHaveLength(1);
    },
  );

  test('An answer to the challenge of another session or user is refused', async () => {
    const [ada, eve] = [await enrollWithKey('ada'), await enrollWithKey('eve')];
    const [one, other, eves] = [
      await givePassword(service),
      await givePassword(service),
      await givePassword(service, 'eve'),
    ];
    const asked = readOptions((await one.get('/login/second-factor')).text);
    const askedOfEve = readOptions((await eves.get('/login/second-factor')).text);
    for (const response of [
      ada.key.answer(asked),
      ada.key.answer(askedOfEve),
      eve.key.answer(askedOfEve),
    ]) {
      expect(
        (await other.submit('/login/second-factor', { response }, '/login/security-key')).status,
      ).toBe(401);
    }
    expect((await showKey(other, eve.key)).status).toBe(401);
    expect(await other.isLoggedIn()).toBe(false);
  });

  test('An answer to a challenge for adding a key does not log in', async () => {
    const { visitor, key } = await enrollWithKey();
    const { challenge } = readOptions((await visitor.get('/account/security-keys')).text);
    const { text } = await visitor.get('/account');
    expect(
      (
        await visitor.post('/login/step-up/security-key', {
          _csrf: tokenIn(text),
          response: key.answer({ challenge }),
        })
      ).status,
    ).toBe(401);
  });

  test('A challenge is answered once, even if the first answer was invalid', async () => {
    const { key } = await enrollWithKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    // A page would contain a new challenge.
    visitor.headers.accept = 'application/json';
    const invalid = new SoftKey(ORIGIN).answer(readOptions(text));
    for (const response of [invalid, key.answer(readOptions(text))]) {
      const refused = await visitor.post('/login/security-key', { _csrf: tokenIn(text), response });
      expect([refused.status, JSON.parse(refused.text)]).toEqual([
        401,
        {
          error: {
            code: 'invalid_key',
            message: 'That did not work. Try again, with a key of this account.',
          },
        },
      ]);
    }
  });

  test('An answer is refused after five minutes', async () => {
    const { key } = await enrollWithKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    service.forward(300);
    expect(
      (
        await visitor.post('/login/security-key', {
          _csrf: tokenIn(text),
          response: key.answer(readOptions(text)),
        })
      ).status,
    ).toBe(401);
  });

  test('An answer for another site or port is refused', async () => {
    const { key } = await enrollWithKey();
    const phished = Object.assign(Object.create(key) as SoftKey, {
      origin: 'https://codes.example.com.thief.example',
    });
    expect((await showKey(await givePassword(service), phished)).status).toBe(401);
    const otherPort = Object.assign(Object.create(key) as SoftKey, { origin: `${ORIGIN}:8443` });
    expect((await showKey(await givePassword(service), otherPort)).status).toBe(401);
  });

  test('An answer of a key whose counter did not rise is refused as a copy', async () => {
    const { key } = await enrollWithKey();
    expect((await showKey(await givePassword(service), key)).status).toBe(303);
    for (const behind of [1, 2]) {
      key.counter -= behind;
      const refused = await showKey(await givePassword(service), key);
      expect([refused.status, errorIn(refused.text)]).toEqual([
        401,
        'This key counts its uses, and its count went back: it may have been copied. ' +
          'Log in another way, and remove it.',
      ]);
    }
    key.counter += 2;
    expect((await showKey(await givePassword(service), key)).status).toBe(303);
  });

  test.each([
    '',
    '{}',
    'null',
    '[]',
    '"x"',
    '{"id":1}',
    '{"id":"x"}',
    '{"id":"x","response":null}',
    `{"id":"${'x'.repeat(9000)}"}`,
    '{"id":"x","rawId":"x","type":"public-key","response":{"clientDataJSON":"e30"}}',
  ])('A malformed answer is refused (%#)', async (response) => {
    const { visitor } = await enrollWithKey();
    const other = await givePassword(service);
    expect([400, 401]).toContain(
      (await other.submit('/login/second-factor', { response }, '/login/security-key')).status,
    );
    expect((await visitor.submit('/account/security-keys', { name: 'x', response })).status).toBe(
      400,
    );
    expect(await other.isLoggedIn()).toBe(false);
  });

  test('A key cannot be added twice, to this account or another', async () => {
    const { visitor, key } = await enrollWithKey();
    const eve = await signUp(service, 'eve');
    for (const each of [visitor, eve]) {
      const refused = await addKey(each, key);
      expect([refused.status, errorIn(refused.text)]).toEqual([
        400,
        'This security key is in use already.',
      ]);
    }
    expect((await eve.get('/account')).text).toContain('Your password alone opens this account.');
  });
});

describe('Backup codes and security keys', () => {
  test('Backup codes end with the last second factor, not before', async () => {
    const { visitor, codes, userId } = await enrollWithKey();
    await addTotp(visitor);
    expect(await removeKey(visitor)).toMatchObject({ status: 303, location: '/account/security' });
    expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 10 });
    expect((await visitor.get('/account/security')).text).toContain(
      'Your backup codes work as before.',
    );
    expect(
      await (await givePassword(service)).submit('/login/backup-code', { code: codes[0]! }),
    ).toMatchObject({ status: 303 });

    expect(await visitor.submit('/account/security', {}, '/account/totp/disable')).toMatchObject({
      status: 303,
      location: '/account',
    });
    expect(await service.backupCodes.status(userId)).toBeNull();
    expect((await visitor.get('/account')).text).toContain(
      'Your password alone opens this account',
    );
    const other = new Visitor(service);
    expect(await other.submit('/login', { username: 'ada', password: PASSWORD })).toMatchObject({
      status: 303,
      location: '/account',
    });
  });

  test('Backup codes without a second factor are neither requested nor accepted', async () => {
    const { visitor, codes, userId } = await enrollWithKey();
    const inTheMiddle = await givePassword(service);
    const { text } = await inTheMiddle.get('/login/backup-code');
    await removeKey(visitor);
    await service.backupCodes.issue(userId);
    expect(
      await inTheMiddle.post('/login/backup-code', { _csrf: tokenIn(text), code: codes[0]! }),
    ).toMatchObject({ status: 303, location: '/login' });
    expect(await inTheMiddle.get('/login/backup-code')).toMatchObject({
      status: 303,
      location: '/login',
    });
    expect(await inTheMiddle.isLoggedIn()).toBe(false);
    const other = new Visitor(service);
    expect(await other.submit('/login', { username: 'ada', password: PASSWORD })).toMatchObject({
      status: 303,
      location: '/account',
    });
  });

  test('Removing the last key needs a fresh factor', async () => {
    const { visitor, userId } = await enrollWithKey();
    const { text } = await visitor.get('/account/security-keys');
    service.forward(301);
    expect(
      await visitor.post('/account/security-keys/remove', {
        _csrf: tokenIn(text),
        id: /name="id" value="([^"]+)"/.exec(text)![1]!,
      }),
    ).toMatchObject({ status: 303, location: '/login/step-up' });
    expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 10 });
  });
});

test('An account can have at most ten keys', async () => {
  const { visitor } = await enrollWithKey();
  for (let more = 0; more < 9; more += 1)
    expect((await addKey(visitor, new SoftKey(ORIGIN))).status).toBe(303);
  const refused = await addKey(visitor, new SoftKey(ORIGIN));
  expect([refused.status, errorIn(refused.text)]).toEqual([
    409,
    'You have 10 security keys, which is the maximum.',
  ]);
});

test('The owner is notified of every factor that is added or removed', async () => {
  const { visitor } = await enrollWithKey();
  await addTotp(visitor);
  await removeKey(visitor);
  await visitor.submit('/account/security', {}, '/account/totp/disable');
  const subjects = [
    'An authenticator app was removed',
    'A security key was removed',
    'An authenticator app was added',
    'A security key was added',
  ];
  const readSubjects = async (): Promise<(string | undefined)[]> =>
    [...(await visitor.get('/outbox')).text.matchAll(/<h2>([^<]+)<\/h2>/g)].map(
      ([, subject]) => subject,
    );
  await until(async () => (await readSubjects()).includes(subjects[0]));
  expect(
    (await readSubjects()).filter(
      (subject) => subject?.endsWith('added') === true || subject?.endsWith('removed') === true,
    ),
  ).toEqual(subjects);
});

/** Turns on an authenticator app for a user who already has codes. */
async function addTotp(visitor: Visitor): Promise<void> {
  const secret = secretIn((await visitor.get('/account/totp')).text);
  expect(
    await visitor.submit('/account/totp', { code: totpAt(secret, service.now()) }),
  ).toMatchObject({ status: 303, location: '/account/security' });
}
