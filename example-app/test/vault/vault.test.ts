// Two-person actions, with two administrators in two browsers.
import { type Service, startService } from '../helpers/service';
import { until } from '../helpers/until';
import {
  type Answer,
  enroll,
  type Enrolled,
  errorIn,
  givePassword,
  PASSWORD,
  tokenIn,
  Visitor,
} from '../helpers/visitor';

let service: Service;
let root: Enrolled;
let second: Enrolled;

beforeEach(async () => {
  service = await startService({ ADMINS: 'root, second, third' });
  [root, second] = [await enroll(service, 'root'), await enroll(service, 'second')];
});
afterEach(() => service.stop());

const OPEN = { action: 'open-vault', reason: 'the yearly audit' };
const countUsed = async ({ userId }: Enrolled): Promise<number> =>
  10 - ((await service.backupCodes.status(userId))?.remaining ?? 0);
const listSteps = async (): Promise<string[]> =>
  (await service.backupCodes.audit.events({ limit: 200 })).events
    .map(({ type }) => type)
    .filter((type) => type.startsWith('approval_'));

/** Requests an action and returns the page of the request. */
async function ask(
  who: Enrolled,
  fields: Record<string, string>,
  code = who.codes.pop()!,
): Promise<string> {
  const answer = await who.visitor.submit('/vault', { ...fields, code }, '/vault/requests');
  expect(answer).toMatchObject({
    status: 303,
    location: expect.stringMatching(/^\/vault\/requests\/[0-9a-f]{32}$/),
  });
  return answer.location!;
}

async function decide(
  { visitor }: Pick<Enrolled, 'visitor'>,
  page: string,
  { step, code }: { step: string; code?: string },
): Promise<Answer> {
  const { text } = await visitor.get(page);
  const digest = /name="digest" value="([^"]+)"/.exec(text)?.[1] ?? '';
  return visitor.post(`${page}/${step}`, {
    _csrf: tokenIn(text),
    digest,
    ...(code !== undefined && { code }),
  });
}

/** The subjects of all mail to a user. */
async function mailTo(name: string): Promise<string[]> {
  const { text } = await new Visitor(service).get('/outbox');
  return [...text.matchAll(/<h2>([^<]+)<\/h2>\s*<p class="hint">To ([^,@]+)@/g)].flatMap(
    ([, subject, to]) => (to === name ? [subject!] : []),
  );
}

test('One administrator requests an action, another approves it, and it runs once', async () => {
  await root.visitor.submit('/vault', { text: 'the combination is 12-7-33' }, '/vault/text');
  const page = await ask(root, OPEN);
  const { text } = await second.visitor.get(page);
  for (const fact of ['Read what is in the vault', 'the yearly audit', 'root', 'Open until'])
    expect(text).toContain(fact);
  expect(text).not.toContain('12-7-33');
  expect(await decide(second, page, { step: 'approve', code: second.codes.pop()! })).toMatchObject({
    status: 303,
    location: page,
  });
  const opened = await decide(root, page, { step: 'execute' });
  expect(opened.text).toContain('the combination is 12-7-33');
  expect(opened.headers.get('cache-control')).toBe('no-store');
  for (const { visitor } of [root, second]) {
    expect(await decide({ visitor }, page, { step: 'execute' })).toMatchObject({
      status: 303,
      location: page,
    });
    expect((await visitor.get(page)).text).toContain('executed');
    expect((await visitor.get('/vault')).text).not.toContain('12-7-33');
  }
  expect([await countUsed(root), await countUsed(second)]).toEqual([1, 1]);
  expect(await listSteps()).toEqual([
    'approval_requested',
    'approval_granted',
    'approval_executing',
    'approval_executed',
    'approval_refused',
    'approval_refused',
  ]);
});

test('An administrator cannot approve their own request in any browser', async () => {
  const page = await ask(root, OPEN);
  expect((await root.visitor.get(page)).text).not.toContain('/approve');
  const digest = /name="digest" value="([^"]+)"/.exec((await second.visitor.get(page)).text)![1]!;
  const laptop = await givePassword(service, 'root');
  await laptop.submit('/login/second-factor', { code: root.newTotp() });
  for (const visitor of [root.visitor, laptop]) {
    const answer = await visitor.submit(
      page,
      { digest, code: root.codes.at(-1)! },
      `${page}/approve`,
    );
    expect([answer.status, errorIn(answer.text)]).toEqual([
      403,
      'Another administrator must approve your request. No code was used up.',
    ]);
  }
  expect(await countUsed(root)).toBe(1);
});

test('For other users the vault does not exist', async () => {
  const page = await ask(root, OPEN);
  const { visitor: ada } = await enroll(service, 'ada');
  for (const path of ['/vault', page]) expect((await ada.get(path)).status).toBe(404);
  const _csrf = tokenIn((await ada.get('/account')).text);
  for (const path of ['/vault/requests', `${page}/approve`, `${page}/deny`, `${page}/execute`])
    expect((await ada.post(path, { _csrf, ...OPEN, code: 'AAAA-AAAA' })).status).toBe(404);
});

test('An invalid code approves nothing, and the message is the same as at a login', async () => {
  const page = await ask(root, OPEN);
  const invalid = await decide(second, page, { step: 'approve', code: 'AAAA-AAAA' });
  const others = await decide(second, page, { step: 'approve', code: root.codes[0]! });
  for (const answer of [invalid, others])
    expect([answer.status, errorIn(answer.text)]).toEqual([
      401,
      'That backup code is not valid. Please try another one.',
    ]);
  expect((await second.visitor.get(page)).text).toContain('Not yet');
});

test('After a mistake the form keeps the chosen action and the other input', async () => {
  await enroll(service, 'ada');
  const chosen = { action: 'reset-factors', username: 'ada', reason: 'lost both phones' };
  const again = await root.visitor.submit(
    '/vault',
    { ...chosen, code: 'AAAA-AAAA' },
    '/vault/requests',
  );
  expect([again.status, errorIn(again.text)]).toEqual([
    401,
    'That backup code is not valid. Please try another one.',
  ]);
  expect(again.text).toContain('<option value="reset-factors" selected>');
  for (const typed of ['value="ada"', 'value="lost both phones"'])
    expect(again.text).toContain(typed);
  const strange = await root.visitor.submit(
    '/vault',
    { ...chosen, action: 'open-vault', code: root.codes[0]! },
    '/vault/requests',
  );
  expect([strange.status, errorIn(strange.text)]).toEqual([
    400,
    'This action is not about an account: leave the name empty, or choose another action.',
  ]);
  expect(await countUsed(root)).toBe(0);
});

test('A denied or withdrawn request cannot be approved', async () => {
  const denied = await ask(root, OPEN);
  // A second click leads to the same page.
  for (const click of [1, 2])
    expect([click, await decide(second, denied, { step: 'deny' })]).toMatchObject([
      click,
      { status: 303, location: denied },
    ]);
  const withdrawn = await ask(root, OPEN);
  expect((await decide(root, withdrawn, { step: 'cancel' })).status).toBe(303);
  for (const page of [denied, withdrawn])
    expect((await decide(second, page, { step: 'approve', code: second.codes[0]! })).status).toBe(
      409,
    );
  expect(await countUsed(second)).toBe(0);
});

test('A mail scanner that follows the link changes nothing', async () => {
  const page = await ask(root, OPEN);
  const before = await listSteps();
  for (const path of [page, `${page}/approve`, `${page}/deny`, `${page}/execute`]) {
    for (const visitor of [new Visitor(service), second.visitor]) await visitor.get(path);
  }
  expect(await listSteps()).toEqual(before);
  expect((await second.visitor.get(page)).text).toContain('Approve');
});

test('A request expires after 15 minutes', async () => {
  const page = await ask(root, OPEN);
  service.forward(900);
  expect((await decide(second, page, { step: 'approve', code: second.codes[0]! })).status).toBe(
    409,
  );
  expect((await second.visitor.get(page)).text).toContain('expired');
});

test('A user who lost all factors is notified of every step and can log in again', async () => {
  const ada = await enroll(service, 'ada');
  const page = await ask(root, {
    action: 'reset-factors',
    username: ' ADA ',
    reason: 'she called, and I know her voice',
  });
  expect((await second.visitor.get(page)).text).toContain(
    'Turn off the second factors of an account',
  );
  await decide(second, page, { step: 'approve', code: second.codes.pop()! });
  await decide(second, page, { step: 'execute' });
  expect(await service.backupCodes.status(ada.userId)).toBeNull();
  expect(
    await new Visitor(service).submit('/login', { username: 'ada', password: PASSWORD }),
  ).toMatchObject({ status: 303, location: '/account' });
  await until(async () => (await mailTo('ada')).includes('Your second factors were turned off'));
  expect(await mailTo('ada')).toEqual(
    expect.arrayContaining([
      'Someone asked to turn off your second factors',
      'Turning off your second factors was approved',
      'Your backup codes were ended',
      'Your second factors were turned off',
    ]),
  );
  expect(await mailTo('second')).toContain('root asks for your approval');
  expect((await mailTo('root')).filter((subject) => subject.includes('approval'))).toEqual([]);
});

test('An administrator cannot decide about their own account', async () => {
  const own = await root.visitor.submit(
    '/vault',
    { action: 'reset-factors', username: 'root', reason: 'please', code: root.codes[0]! },
    '/vault/requests',
  );
  expect([own.status, errorIn(own.text)]).toEqual([
    403,
    'You cannot decide about your own account. No code was used up.',
  ]);
  const about = await ask(root, {
    action: 'reset-factors',
    username: 'second',
    reason: 'she asked',
  });
  expect((await decide(second, about, { step: 'approve', code: second.codes[0]! })).status).toBe(
    403,
  );
});

test('Two accounts with the same first address are one person', async () => {
  const third = await enroll(service, 'third');
  await third.visitor.submit('/account/emails', { email: 'root@example.com' }, '/account/emails');
  await third.visitor.submit(
    '/account/emails',
    { email: 'third@example.com' },
    '/account/emails/remove',
  );
  const page = await ask(root, OPEN);
  expect((await decide(third, page, { step: 'approve', code: third.codes[0]! })).status).toBe(403);
});

test.each([
  ['an unknown action', { action: 'toString', reason: 'x' }, 'Choose an action.'],
  [
    'an unknown account',
    { action: 'reset-factors', username: 'unknown', reason: 'x' },
    'There is no account with this name.',
  ],
  [
    'a missing reason',
    { action: 'open-vault', reason: ' ' },
    'Give a reason, for the other administrator and for the record.',
  ],
])('The form shows an error for %s, and no code is used', async (_what, fields, message) => {
  const { status, text } = await root.visitor.submit(
    '/vault',
    { ...fields, code: root.codes[0]! },
    '/vault/requests',
  );
  expect([status, errorIn(text), await countUsed(root)]).toEqual([400, message, 0]);
});
