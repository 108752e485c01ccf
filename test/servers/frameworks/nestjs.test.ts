// docs/nestjs.md, on a real Nest; and what a `validate` can and cannot do there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { itIsServed, newPerson, WRONG, type Person } from './contract';
import { complaints, filesOf, install, start, type Host } from './host';
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

it('the page compiles, and so does every kind of validate', async () => {
  expect(await complaints('nestjs', { ...page, ...validating })).toBe('');
});

describe('the page', () => {
  itIsServed(() => hosts[0]!, {
    refused: (_status, code) => expect.objectContaining({ code, message: expect.any(String) }),
    welcomed: () =>
      expect.objectContaining({ methods: ['pwd', 'backup-code'], amr: ['pwd', 'otp', 'mfa'] }),
    failed: { statusCode: 500, message: 'Internal server error' },
  });
});

describe('with PassportStrategy', () => {
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
    '%s: a valid code lets its user in',
    async (name) => {
      expect(await give(name, person.codes[0]!)).toMatchObject({
        status: 201,
        body: { user: { id: person.id }, info: { method: 'backup-code', remaining: 2 } },
      });
    },
  );

  it('a validate that returns every user is not called for an invalid code', async () => {
    expect((await give('user-as-given', WRONG)).status).toBe(401);
    expect((await give('user-as-given', '')).status).toBe(400);
    expect((await give('user-as-given', person.codes[0]!)).body).toMatchObject({
      called: [person.name],
    });
  });

  it('with passReqToCallback validate gets the request, the user and the info', async () => {
    expect((await give('with-request', person.codes[0]!)).body).toMatchObject({
      user: { id: person.id, path: '/with-request', remaining: 2 },
    });
  });

  it('validate may add to the info, but not change the method', async () => {
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
    '%s: no user is let in, and the audit trail records an unfinished login',
    async (name, status, body) => {
      expect(await give(name, person.codes[0]!)).toMatchObject({ status, body });
      expect(await remaining()).toBe(2);
      expect((await events()).slice(-2)).toEqual(['consumed', 'login_unfinished']);
    },
  );

  it('a guard of two strategies tries the second after the first failed, and gives both failures', async () => {
    expect(await give('both', person.codes[0]!)).toMatchObject({
      status: 401,
      body: [{ code: 'denied' }, { code: 'invalid_code' }],
    });
  });
});
