// Security keys as a second factor: what they open, what they do not, and how backup codes stand
// behind them.
import { type Service, startService } from '../helpers/service';
import { addKey, optionsIn, showKey, SoftKey } from '../helpers/soft-key';
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

/** Somebody with a key and no authenticator app. */
async function withKey(
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

describe('a key', () => {
  test('that is the first factor comes with ten codes, and is asked for after the password from then on', async () => {
    const { key } = await withKey();
    const visitor = await givePassword(service);
    expect(await visitor.isLoggedIn()).toBe(false);
    const { text } = await visitor.get('/login/second-factor');
    expect(text).toContain('Use your security key');
    expect(text).toContain('<a href="/login/backup-code">Use a backup code instead</a>');
    expect(text).not.toContain('Authenticator app');
    expect(await showKey(visitor, key)).toMatchObject({ status: 303, location: '/account' });
    expect(await visitor.isLoggedIn()).toBe(true);
  });

  test('that is lost has a backup code in its place, and whoever got in by it adds another key', async () => {
    const { codes } = await withKey();
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

  test('stands beside an authenticator app: either logs in, and the codes are those from before', async () => {
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

  test('is fresh proof where a page wants one, and is itself added only with such proof', async () => {
    const { visitor, key } = await withKey();
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

  test('of software that is on several devices logs in too', async () => {
    const { key } = await withKey('ada', new SoftKey(ORIGIN, { counts: false, isSynced: true }));
    for (let login = 0; login < 2; login += 1)
      expect(await showKey(await givePassword(service), key)).toMatchObject({
        status: 303,
        location: '/account',
      });
  });

  test('has the name that its owner gives it, and nobody else', async () => {
    const { visitor } = await withKey();
    const eve = (await withKey('eve')).visitor;
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

describe('an answer opens nothing', () => {
  test('a second time, in the same session or in another', async () => {
    const { key } = await withKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    const response = key.answer(optionsIn(text));
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
    'but once, where it is sent ten times at one moment; the key counts its uses: %s',
    async (counts) => {
      const { key } = await withKey('ada', new SoftKey(ORIGIN, { counts }));
      const visitor = await givePassword(service);
      const { text } = await visitor.get('/login/second-factor');
      const fields = { _csrf: tokenIn(text), response: key.answer(optionsIn(text)) };
      // Each a little different, or they would be one form that is sent twice.
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

  test('to a challenge of another session, or of another person', async () => {
    const [ada, eve] = [await withKey('ada'), await withKey('eve')];
    const [one, other, eves] = [
      await givePassword(service),
      await givePassword(service),
      await givePassword(service, 'eve'),
    ];
    const asked = optionsIn((await one.get('/login/second-factor')).text);
    const askedOfEve = optionsIn((await eves.get('/login/second-factor')).text);
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

  test('to a challenge that was made to add a key', async () => {
    const { visitor, key } = await withKey();
    const { challenge } = optionsIn((await visitor.get('/account/security-keys')).text);
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

  test('to a challenge that was answered before, be it wrongly', async () => {
    const { key } = await withKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    // A page would come with another challenge.
    visitor.headers.accept = 'application/json';
    const wrong = new SoftKey(ORIGIN).answer(optionsIn(text));
    for (const response of [wrong, key.answer(optionsIn(text))]) {
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

  test('after five minutes', async () => {
    const { key } = await withKey();
    const visitor = await givePassword(service);
    const { text } = await visitor.get('/login/second-factor');
    service.forward(300);
    expect(
      (
        await visitor.post('/login/security-key', {
          _csrf: tokenIn(text),
          response: key.answer(optionsIn(text)),
        })
      ).status,
    ).toBe(401);
  });

  test('that was given to another site, however much it looks like this one', async () => {
    const { key } = await withKey();
    const phished = Object.assign(Object.create(key) as SoftKey, {
      origin: 'https://codes.example.com.thief.example',
    });
    expect((await showKey(await givePassword(service), phished)).status).toBe(401);
    const otherPort = Object.assign(Object.create(key) as SoftKey, { origin: `${ORIGIN}:8443` });
    expect((await showKey(await givePassword(service), otherPort)).status).toBe(401);
  });

  test('of a copied key: one whose count went back, or stood still', async () => {
    const { key } = await withKey();
    expect((await showKey(await givePassword(service), key)).status).toBe(303);
    for (const behind of [1, 2]) {
      key.counter -= behind;
      const refused = await showKey(await givePassword(service), key);
      expect([refused.status, errorIn(refused.text)]).toEqual([
        401,
        'This key counts its uses, and its count went back: it may have been copied. Log in another way, and remove it.',
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
  ])('that is none (%#)', async (response) => {
    const { visitor } = await withKey();
    const other = await givePassword(service);
    expect([400, 401]).toContain(
      (await other.submit('/login/second-factor', { response }, '/login/security-key')).status,
    );
    expect((await visitor.submit('/account/security-keys', { name: 'x', response })).status).toBe(
      400,
    );
    expect(await other.isLoggedIn()).toBe(false);
  });

  test('that would add a key once more, here or to another account', async () => {
    const { visitor, key } = await withKey();
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

describe('backup codes', () => {
  test('go with the last factor, and not before', async () => {
    const { visitor, codes, userId } = await withKey();
    await turnOnTotpBeside(visitor);
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

  test('are no second factor alone: with codes and nothing before them nobody is asked for one, and none is taken', async () => {
    const { visitor, codes, userId } = await withKey();
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

  test('need a fresh factor to be ended by turning off what they stand behind', async () => {
    const { visitor, userId } = await withKey();
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

test('there are ten keys at most', async () => {
  const { visitor } = await withKey();
  for (let more = 0; more < 9; more += 1)
    expect((await addKey(visitor, new SoftKey(ORIGIN))).status).toBe(303);
  const refused = await addKey(visitor, new SoftKey(ORIGIN));
  expect([refused.status, errorIn(refused.text)]).toEqual([
    409,
    'You have 10 security keys, which is as many as there can be.',
  ]);
});

test('the owner is told of every factor that is added or removed', async () => {
  const { visitor } = await withKey();
  await turnOnTotpBeside(visitor);
  await removeKey(visitor);
  await visitor.submit('/account/security', {}, '/account/totp/disable');
  const subjects = [
    'An authenticator app was removed',
    'A security key was removed',
    'An authenticator app was added',
    'A security key was added',
  ];
  const told = async (): Promise<(string | undefined)[]> =>
    [...(await visitor.get('/outbox')).text.matchAll(/<h2>([^<]+)<\/h2>/g)].map(
      ([, subject]) => subject,
    );
  await until(async () => (await told()).includes(subjects[0]));
  expect(
    (await told()).filter(
      (subject) => subject?.endsWith('added') === true || subject?.endsWith('removed') === true,
    ),
  ).toEqual(subjects);
});

/** An authenticator app for somebody who has codes already. */
async function turnOnTotpBeside(visitor: Visitor): Promise<void> {
  const secret = secretIn((await visitor.get('/account/totp')).text);
  expect(
    await visitor.submit('/account/totp', { code: totpAt(secret, service.now()) }),
  ).toMatchObject({ status: 303, location: '/account/security' });
}
