// docs/connect.md: on a real connect, which is Passport with no framework.
import { STATUS_CODES } from 'node:http';
import { itIsServed } from './contract';
import { filesOf, install, start, type Host } from './host';

const page = filesOf('docs/connect.md');
let host: Host | undefined;

beforeAll(async () => {
  await install('connect');
  host = await start('connect', { files: page, main: 'server.js' });
}, 300_000);
afterAll(() => host?.stop());

describe('the page', () => {
  itIsServed(() => host!, {
    refused: (status) => STATUS_CODES[status],
    welcomed: () =>
      expect.objectContaining({ methods: ['pwd', 'backup-code'], amr: ['pwd', 'otp', 'mfa'] }),
    failed: expect.stringContaining('the hash is broken'),
  });
});
