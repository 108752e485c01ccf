// Runs docs/tsed.md on a real Ts.ED on Express.
import { changed, giveCode, hostTests, pendingPerson } from './contract';
import { compilerErrors, filesOf, install, start, type Host } from './host';

const page = filesOf('docs/tsed.md');
const DECORATOR = "@Authenticate('backup-code', { session: false })";
const withMiddleware = {
  'server.ts': changed(
    page['server.ts'],
    DECORATOR,
    "@Use(passport.authenticate('backup-code', { session: false }))",
  ),
};
let hosts: Host[] = [];

beforeAll(async () => {
  await install('tsed');
  hosts = await Promise.all(
    [page, withMiddleware].map((files) => start('tsed', { files, main: 'server.ts' })),
  );
}, 300_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

it('The code of docs/tsed.md compiles unchanged', async () => {
  expect(await compilerErrors('tsed', page)).toBe('');
});

describe('docs/tsed.md', () => {
  hostTests(() => hosts[0]!, {
    refused: (status) => expect.objectContaining({ name: 'AuthenticationError', status }),
    welcomed: () =>
      expect.objectContaining({ methods: ['pwd', 'backup-code'], amr: ['pwd', 'otp', 'mfa'] }),
    failed: expect.objectContaining({ status: 500, message: 'the hash is broken' }),
  });
});

it.each([
  ['the decorator calls no strategy, and completes no login', 0, 500, []],
  ["Passport's own middleware calls the strategy", 1, 401, [['fail']]],
])('For a user who is logged in, %s', async (_what, index, status, settled) => {
  const host = hosts[index]!;
  const { visitor, codes, id } = await pendingPerson(host);
  await giveCode(visitor, codes[0]!);
  await host.ask('settlements');
  expect((await giveCode(visitor, codes[1]!)).status).toBe(status);
  expect(await host.ask('settlements')).toEqual(settled);
  expect(await host.ask('remaining', id)).toBe(2);
});
