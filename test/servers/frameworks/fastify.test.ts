// Runs docs/fastify.md on a real Fastify, with Fastify's own Passport and sessions.
import { changed, hostTests, unfinishedLoginTests, newPerson, PASSWORD } from './contract';
import { compilerErrors, filesOf, install, start, type Host } from './host';

const page = filesOf('docs/fastify.md');
const failing = {
  'app.ts': changed(
    page['app.ts'],
    'async (user: User) => user.id',
    "async () => { throw new Error('no session today'); }",
  ),
};
const misled = {
  'app.ts': changed(
    changed(
      page['app.ts'],
      'await request.session.regenerate();',
      "await beginLogin(request as never, user as never, { amr: ['pwd'] });",
    ),
    'import { backupCodes',
    "import { beginLogin } from 'passport-backup-code/express';\nimport { backupCodes",
  ),
};
let hosts: Host[] = [];

beforeAll(async () => {
  await install('fastify');
  hosts = await Promise.all(
    [page, failing, misled].map((files) => start('fastify', { files, main: 'app.ts' })),
  );
}, 300_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

it('The code of docs/fastify.md compiles unchanged', async () => {
  expect(await compilerErrors('fastify', page)).toBe('');
});

describe('docs/fastify.md', () => {
  hostTests(() => hosts[0]!, {
    refused: (_status, code) => expect.objectContaining({ code, message: expect.any(String) }),
    welcomed: (name) => expect.objectContaining({ name }),
    failed: { statusCode: 500, error: 'Internal Server Error', message: 'the hash is broken' },
  });
  unfinishedLoginTests(() => hosts[1]!);
});

it('Calling beginLogin for Express with a request of Fastify is an error', async () => {
  const { name, visitor } = await newPerson(hosts[2]!);
  const { status, body } = await visitor.post('/login', { username: name, password: PASSWORD });
  expect({ status, body }).toEqual({
    status: 500,
    body: expect.objectContaining({
      message: expect.stringContaining('This is a Fastify request.'),
    }),
  });
});
