// Runs docs/connect.md on a real connect: Passport without a framework.
import { STATUS_CODES } from 'node:http';
import { hostTests } from './contract';
import { filesOf, install, start, type Host } from './host';

const page = filesOf('docs/connect.md');
let host: Host | undefined;

beforeAll(async () => {
  await install('connect');
  host = await start('connect', { files: page, main: 'server.js' });
}, 300_000);
afterAll(() => host?.stop());

describe('docs/connect.md', () => {
  hostTests(() => host!, {
    refused: (status) => STATUS_CODES[status],
    welcomed: () =>
      expect.objectContaining({ methods: ['pwd', 'backup-code'], amr: ['pwd', 'otp', 'mfa'] }),
    failed: expect.stringContaining('the hash is broken'),
  });
});
