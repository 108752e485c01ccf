// "I have saved these codes": which sets the form activates, and what other users see.
import { type Service, startService } from '../helpers/service';
import { setIdIn } from '../helpers/tour';
import {
  type Answer,
  codesIn,
  type Enrolled,
  enroll,
  tokenIn,
  type Visitor,
} from '../helpers/visitor';

let service: Service;
let ada: Enrolled;
beforeEach(async () => {
  service = await startService();
  ada = await enroll(service);
});
afterEach(async () => {
  await service.stop();
  expect(service.faults).toEqual([]);
});

const makeNew = (visitor: Visitor): Promise<Answer> =>
  visitor.submit('/account/security', {}, '/account/security/codes');
const save = (
  visitor: Visitor,
  { text }: Answer,
  fields: Record<string, string> = {},
): Promise<Answer> =>
  visitor.post('/account/codes/activate', {
    _csrf: tokenIn(text),
    setId: setIdIn(text),
    ...fields,
  });

test('Saved codes work, and sending the form twice gives the same redirect', async () => {
  const shown = await makeNew(ada.visitor);
  expect(await save(ada.visitor, shown)).toMatchObject({ status: 303, location: '/account' });
  const status = await service.backupCodes.status(ada.userId);
  expect(status).toMatchObject({ setId: setIdIn(shown.text), remaining: 10 });
  expect(await save(ada.visitor, shown)).toMatchObject({ status: 303, location: '/account' });
  expect(await service.backupCodes.status(ada.userId)).toEqual(status);
  expect(service.events.filter(({ type }) => type === 'activated')).toHaveLength(2);
});

test('After saving, the user returns to the previous page, never to another site', async () => {
  const shown = await makeNew(ada.visitor);
  expect(await save(ada.visitor, shown, { returnTo: '/account/emails' })).toMatchObject({
    status: 303,
    location: '/account/emails',
  });
  expect(await save(ada.visitor, shown, { returnTo: 'https://evil.example' })).toMatchObject({
    status: 303,
    location: '/account',
  });
});

test.each([
  ['after an hour', (): unknown => service.forward(3601)],
  ['after others were made', (): unknown => makeNew(ada.visitor)],
  ['after all were ended', (): unknown => service.backupCodes.revoke(ada.userId)],
])('Codes that are saved %s are refused, and nothing changes', async (_when, pass) => {
  const shown = await makeNew(ada.visitor);
  await pass();
  const before = await service.backupCodes.status(ada.userId);
  const answer = await save(ada.visitor, shown);
  expect(answer.status).toBe(409);
  expect(answer.text).toContain('These codes were not turned on');
  expect(answer.text).toContain('href="/account/security"');
  expect(codesIn(answer.text)).toEqual([]);
  expect(await service.backupCodes.status(ada.userId)).toEqual(before);
});

test('A set of another user and an unknown set are not activated', async () => {
  const eve = await enroll(service, 'eve');
  const shown = await makeNew(ada.visitor);
  for (const setId of [
    setIdIn(shown.text),
    '',
    'none',
    'a\0b',
    'x'.repeat(300),
    `${setIdIn(shown.text)} `,
  ]) {
    expect(
      await eve.visitor.submit('/account/security', { setId }, '/account/codes/activate'),
    ).toMatchObject({ status: 409 });
  }
  expect(await service.backupCodes.status(ada.userId)).toMatchObject({ remaining: 10 });
  expect((await save(ada.visitor, shown)).status).toBe(303);
});

test('The page with the codes is not cached, and no URL opens it', async () => {
  const shown = await makeNew(ada.visitor);
  expect(shown.headers.get('cache-control')).toBe('no-store');
  expect(codesIn(shown.text)).toHaveLength(10);
  expect(await service.backupCodes.status(ada.userId)).toMatchObject({ remaining: 10 });
  expect(await ada.visitor.get('/account/codes/activate')).toMatchObject({ status: 404 });
});
