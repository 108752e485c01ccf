// Runs docs/koa.md on a real Koa with koa-passport and koa-session.
import { STATUS_CODES } from 'node:http';
import { changed, hostTests, unfinishedLoginTests } from './contract';
import { compilerErrors, filesOf, install, start, type Host } from './host';

const page = filesOf('docs/koa.md');
const failing = {
  'app.ts': changed(
    page['app.ts'],
    'done(null, (user as User).id)',
    "done(new Error('no session today'))",
  ),
};
let hosts: Host[] = [];

beforeAll(async () => {
  await install('koa');
  hosts = await Promise.all(
    [page, failing].map((files) => start('koa', { files, main: 'app.ts' })),
  );
}, 300_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

it('The code of docs/koa.md compiles unchanged', async () => {
  expect(await compilerErrors('koa', page)).toBe('');
});

describe('docs/koa.md', () => {
  hostTests(() => hosts[0]!, {
    refused: (status) => STATUS_CODES[status],
    welcomed: (name) => expect.objectContaining({ name }),
    failed: 'Internal Server Error',
  });
  unfinishedLoginTests(() => hosts[1]!);
});
