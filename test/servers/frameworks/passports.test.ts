// Runs docs/older-versions.md on every Passport from 0.4 and on Express 4 and 5.
import { STATUS_CODES } from 'node:http';
import { changed, hostTests, unfinishedLoginTests } from './contract';
import { filesOf, install, start, type Host } from './host';

const page = filesOf('docs/older-versions.md')['app.js']!;
const versions = ['0.4', '0.5', '0.6', '0.7'].flatMap((passport) =>
  [4, 5].map((express) => [passport, express] as const),
);

/** Imports the packages by their aliases in the lock file. */
const aliased = (code: string, passport: string, express: number): string =>
  changed(
    changed(code, "from 'passport'", `from 'passport-${passport}'`),
    "from 'express'",
    `from 'express-${express}'`,
  );

beforeAll(() => install('passports'), 300_000);

describe.each(versions)('Passport %s on Express %i', (passport, express) => {
  let hosts: Host[] = [];
  beforeAll(async () => {
    const apps = [
      page,
      changed(page, 'done(null, user.id)', "done(new Error('no session today'))"),
    ];
    hosts = await Promise.all(
      apps.map((app) =>
        start('passports', {
          files: { 'app.js': aliased(app, passport, express) },
          main: 'app.js',
        }),
      ),
    );
  });
  afterAll(() => Promise.all(hosts.map((host) => host.stop())));

  hostTests(() => hosts[0]!, {
    refused: (status) => STATUS_CODES[status],
    welcomed: () => 'See Other. Redirecting to /',
    failed: expect.stringContaining('the hash is broken'),
  });
  unfinishedLoginTests(() => hosts[1]!);
});
