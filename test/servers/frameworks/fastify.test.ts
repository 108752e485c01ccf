// docs/fastify.md, on a real Fastify, with its own Passport and its own sessions.
import { changed, itIsServed, itTellsOfAnUnfinishedLogin } from './contract';
import { complaints, filesOf, install, start, type Host } from './host';

const page = filesOf('docs/fastify.md');
const failing = { 'app.ts': changed(page['app.ts'], 'async (user: User) => user.id', "async () => { throw new Error('no session today'); }") };
let hosts: Host[] = [];

beforeAll(async () => {
  await install('fastify');
  hosts = await Promise.all([page, failing].map((files) => start('fastify', { files, main: 'app.ts' })));
}, 300_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

it('the page compiles as it stands', async () => {
  expect(await complaints('fastify', page)).toBe('');
});

describe('the page', () => {
  itIsServed(() => hosts[0]!, {
    refused: (_status, code) => expect.objectContaining({ code, message: expect.any(String) }),
    welcomed: (name) => expect.objectContaining({ name }),
    failed: { statusCode: 500, error: 'Internal Server Error', message: 'the hash is broken' },
  });
  itTellsOfAnUnfinishedLogin(() => hosts[1]!);
});
