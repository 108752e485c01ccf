// What the pages show to users who need a backup code, have few of them, or want help. No page
// needs inline scripts or styles.
import { listRoutes } from '../helpers/routes';
import { type Service, startService } from '../helpers/service';
import {
  type Answer,
  type Enrolled,
  enroll,
  givePassword,
  signUp,
  Visitor,
} from '../helpers/visitor';

let service: Service;
let ada: Enrolled;
beforeEach(async () => {
  service = await startService({ ADMINS: 'root' });
  ada = await enroll(service);
});
afterEach(async () => {
  await service.stop();
  expect(service.faults).toEqual([]);
});

test('A backup code is a separate choice on every page that requests a second factor', async () => {
  const visitor = await givePassword(service);
  expect((await visitor.get('/login/second-factor')).text).toContain(
    '<a href="/login/backup-code">Use a backup code instead</a>',
  );
  expect((await ada.visitor.get('/login/step-up')).text).toContain(
    '<a href="/login/step-up/backup-code">Use a backup code instead</a>',
  );
});

test('After a login the page shows how many codes are left, and warns from three on', async () => {
  const warnings: (string | undefined)[] = [];
  for (const [used, code] of ada.codes.slice(0, 8).entries()) {
    const visitor = await givePassword(service);
    await visitor.submit('/login/backup-code', { code });
    expect((await visitor.get('/account')).text).toContain(
      `You used a backup code. ${9 - used} of 10 are left.`,
    );
    warnings.push(warningIn(await visitor.get('/account')));
  }
  const few = (left: string): string => `${left} left. Make new ones under Security.`;
  expect(warnings).toEqual([
    ...Array<undefined>(6).fill(undefined),
    few('Only 3 backup codes are'),
    few('Only 2 backup codes are'),
  ]);
});

test('Every page links to the help, which needs no login', async () => {
  const visitor = new Visitor(service);
  for (const path of ['/login', '/signup', '/nowhere'])
    expect((await visitor.get(path)).text).toContain('<a href="/help">Help with backup codes</a>');
  for (const path of ['/login/second-factor', '/login/backup-code'])
    expect((await (await givePassword(service)).get(path)).text).toContain('<a href="/help">');
  const { status, text } = await new Visitor(service).get('/help');
  expect(status).toBe(200);
  for (const topic of [
    'I have lost my phone',
    'My code is refused',
    'I have lost my codes',
    'Someone else has seen my codes',
    'What backup codes are',
    'Where to keep them',
  ])
    expect(text).toContain(topic);
});

test('No page contains inline scripts or styles, and the policy forbids them', async () => {
  const { visitor: root } = await enroll(service, 'root');
  const pages = listRoutes(service)
    .filter(({ method, path }) => method === 'GET' && !path.includes(':') && path !== '/healthz')
    .map(({ path }) => path);
  const visitors = [
    new Visitor(service),
    await givePassword(service),
    await signUp(service, 'bob'),
    ada.visitor,
    root,
  ];
  const answers = (
    await Promise.all(
      visitors.map((visitor) => Promise.all(pages.map((path) => visitor.get(path)))),
    )
  ).flat();
  const shown = [
    ...answers,
    await ada.visitor.submit('/account/security', {}, '/account/security/codes'),
  ].filter(({ status }) => status !== 303);
  expect(shown.length).toBeGreaterThan(20);
  for (const { text, headers } of shown) {
    expect(text).not.toMatch(
      /<script(?![^>]* src="\/static\/)|<style|\sstyle=|\son\w+=|javascript:/,
    );
    const policy = headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("style-src 'self';");
    expect(policy).not.toContain('unsafe');
  }
});

/** The text of the warning, without tags. */
function warningIn({ text }: Answer): string | undefined {
  return /<p class="warning" role="alert">(.*)<\/p>/.exec(text)?.[1]?.replace(/<[^>]+>/g, '');
}
