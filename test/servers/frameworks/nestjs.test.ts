// Runs docs/nestjs.md on a real Nest, and tests what a `validate` can do there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostTests, newPerson, WRONG, type Person } from './contract';
import { compilerErrors, filesOf, install, start, type Host } from './host';
import type { Answer } from './visitor';

const page = filesOf('docs/nestjs.md');
const validating = {
  'validate.ts': readFileSync(join(__dirname, '../../hosts/nestjs/validate.ts'), 'utf8'),
};
let hosts: Host[] = [];

beforeAll(async () => {
  await install('nestjs');
  hosts = await Promise.all([
    start('nestjs', { files: page, main: 'main.ts' }),
    start('nestjs', { files: validating, main: 'validate.ts' }),
  ]);
}, 300_000);
afterAll(() => Promise.all(hosts.map((host) => host.stop())));

it('The code of docs/nestjs.md and every kind of validate compile', async () => {
  expect(await compilerErrors('nestjs', { ...page, ...validating })).toBe('');
});

describe('docs/nestjs.md', () => {
  hostTests(() => hosts[0]!, {
    refused: (_status, code) => expect.objectContaining({ code, message: expect.any(String) }),
    welcomed: () =>
      expect.objectContaining({ methods: ['pwd', 'backup-code'], amr: ['pwd', 'otp', 'mfa'] }),
    failed: { statusCode: 500, message: 'Internal server error' },
  });
});

describe('PassportStrategy of Nest', () => {
  const host = (): Host => hosts[1]!;
  let person: Person;
  const give = (name: string, code: string): Promise<Answer> =>
    person.visitor.send(`/${name}`, {
      method: 'POST',
      body: JSON.stringify({ code }),
      headers: { 'content-type': 'application/json', 'x-user': person.id },
    });
  const remaining = (): Promise<number> => host().ask('remaining', person.id);
  const events = (): Promise<string[]> => host().ask('events', person.id);
  beforeEach(async () => {
    person = await newPerson(host());
  });
  afterEach(async () => {
    const settled = await host().ask<string[][]>('settlements');
    expect(settled.filter((actions) => actions.length !== 1)).toEqual([]);
  });

  it.each(['user-as-given', 'by-arity', 'no-mixin'])(
    'With the validate %s a valid code lets its user in',
    async (name) => {
      expect(await give(name, person.codes[0]!)).toMatchObject({
        status: 201,
        body: { user: { id: person.id }, info: { method: 'backup-code', remaining: 2 } },
      });
    },
  );

  it('A validate that returns every user is not called for an invalid code', async () => {
    expect((await give('user-as-given', WRONG)).status).toBe(401);
    expect((await give('user-as-given', '')).status).toBe(400);
    expect((await give('user-as-given', person.codes[0]!)).body).toMatchObject({
      called: [person.name],
    });
  });

  it('With passReqToCallback validate receives the request, the user and the info', async () => {
    expect((await give('with-request', person.codes[0]!)).body).toMatchObject({
      user: { id: person.id, path: '/with-request', remaining: 2 },
    });
  });

  it('A validate may add to the info, but not change the method', async () => {
    expect((await give('user-and-info', person.codes[0]!)).body).toMatchObject({
      user: { id: person.id },
      info: { note: 'extra', method: 'backup-code' },
    });
  });

  it.each([
    ['refusing', 401, { code: 'denied' }],
    ['throwing', 403, { message: 'your account is locked' }],
    ['without', 500, { message: 'Internal server error' }],
  ])(
    'With a validate that is %s, no user gets in, and the trail records it',
    async (name, status, body) => {
      expect(await give(name, person.codes[0]!)).toMatchObject({ status, body });
      expect(await remaining()).toBe(2);
      expect((await events()).slice(-2)).toEqual(['consumed', 'login_unfinished']);
    },
  );

  it('A guard of two strategies tries the second after the first failed', async () => {
    expect(await give('both', person.codes[0]!)).toMatchObject({
      status: 401,
      body: [{ code: 'denied' }, { code: 'invalid_code' }],
    });
  });
});
