// The activity list of an account: what was done with its codes, with time, address and browser,
// twenty entries a page.
import { quickHasher } from '../helpers/quick-hasher';
import { type Service, startService } from '../helpers/service';
import { type Enrolled, enroll, givePassword, signUp, type Visitor } from '../helpers/visitor';

const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 ' +
  '(KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';

let service: Service;
let ada: Enrolled;
beforeEach(async () => {
  // This test is not about the place of a login.
  service = await startService(
    {},
    { backupCodes: { hasher: quickHasher, assessRisk: () => 'allow' } },
  );
  ada = await enroll(service);
});
afterEach(() => service.stop());

const ENTRY = new RegExp(
  /<li>\s*<p>([^<]*)<\/p>\s*<p class="hint">/.source +
    /<time datetime="([^"]+)">[^<]+ UTC<\/time>([^<]*)<\/p>/.source,
  'g',
);

interface Listed {
  readonly what: string;
  readonly at: number;
  readonly where: string;
}

async function readActivity(
  visitor: Visitor,
  path = '/account/security',
): Promise<{ list: Listed[]; older: string | null; text: string }> {
  const { text } = await visitor.get(path);
  const list = [...text.matchAll(ENTRY)];
  const [, older = null] = /<a href="([^"]+)#activity">Older<\/a>/.exec(text) ?? [];
  return {
    list: list.map(([, what, at, where]) => ({
      what: what!,
      at: Date.parse(at!),
      where: where!.replace(', ', ''),
    })),
    older,
    text,
  };
}

test('The list shows what was done, when and from where, newest first', async () => {
  const visitor = await givePassword(service);
  visitor.headers['user-agent'] = SAFARI;
  await visitor.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  await visitor.submit('/login/backup-code', { code: ada.codes[0]! });
  const thief = await givePassword(service);
  await thief.submit('/login/backup-code', { code: ada.codes[0]! });
  await service.backupCodes.revoke(ada.userId, { actor: 'grace' });
  const { list, older } = await readActivity(ada.visitor);
  expect(list.map(({ what, where }) => [what, where])).toEqual([
    ['The backup codes were ended, by an administrator (grace)', ''],
    ['A backup code that was used before', '127.0.0.1, an unknown browser'],
    ['A backup code was used; 9 of 10 left', '127.0.0.1, Safari on iPhone'],
    ['Wrong backup code', '127.0.0.1, Safari on iPhone'],
    ['New backup codes were made', '127.0.0.1, an unknown browser'],
    ['New backup codes were prepared', '127.0.0.1, an unknown browser'],
  ]);
  expect(list.slice(0, -1).map(({ at }) => at)).toEqual(
    service.events.map(({ at }) => at).reverse(),
  );
  expect(older).toBeNull();
});

test('Older pages continue the list, and none shows the activity of another user', async () => {
  await enroll(service, 'eve');
  for (let time = 0; time < 24; time += 1)
    await service.backupCodes.issue(ada.userId, { ip: `192.0.2.${time}` });
  const newest = await readActivity(ada.visitor);
  expect(newest.list).toHaveLength(20);
  const older = await readActivity(ada.visitor, newest.older!);
  expect([...newest.list, ...older.list].map(({ where }) => where)).toEqual([
    ...Array.from({ length: 24 }, (_, index) => `192.0.2.${23 - index}, an unknown browser`),
    '127.0.0.1, an unknown browser',
    '127.0.0.1, an unknown browser',
  ]);
  expect([
    older.older,
    older.text.includes('<a href="/account/security#activity">Newest</a>'),
  ]).toEqual([null, true]);

  // The URL of a page shows nothing to other users.
  const eve = await givePassword(service, 'eve');
  expect((await eve.get(newest.older!)).status).toBe(303);
  const { codes, visitor } = await enroll(service, 'fay');
  expect(codes).toHaveLength(10);
  expect(
    (await readActivity(visitor, newest.older!)).list
      .map(({ where }) => where)
      .filter((where) => where.startsWith('192.0.2.')),
  ).toEqual([]);
});

test('An invalid page is a client error', async () => {
  expect((await ada.visitor.get('/account/security?older-than=page-2')).status).toBe(400);
  expect((await ada.visitor.get('/account/security?older-than[]=a')).status).toBe(200);
  expect(service.faults).toEqual([]);
});

test('A user without codes has an empty list', async () => {
  const bob = await signUp(service, 'bob');
  const { list, text } = await readActivity(bob);
  expect([list, text.includes('<p>Nothing yet.</p>')]).toEqual([[], true]);
});
