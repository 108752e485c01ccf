import { inspect } from 'node:util';
import type { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { RedisApprovalStore, RedisStore, type RedisClient } from '../../lib/redis';

const client: RedisClient = {
  eval: () => Promise.reject(new Error('unused')),
  evalSha: () => Promise.reject(new Error('unused')),
};

/** Compiles only if every kind of client that `redis` makes is a `RedisClient`. */
export function asRedisClients(
  single: ReturnType<typeof createClient>,
  cluster: ReturnType<typeof createCluster>,
  sentinel: ReturnType<typeof createSentinel>,
  pool: ReturnType<typeof createClientPool>,
): RedisClient[] {
  return [single, cluster, sentinel, pool];
}

describe.each([
  ['RedisStore', RedisStore],
  ['RedisApprovalStore', RedisApprovalStore],
])('the constructor of %s', (className, Store) => {
  it.each([
    ['no options', undefined, /takes an options object, but was given undefined/],
    ['a client instead of options', client, /has no option "eval"/],
    ['no client', {}, /client must be an object with eval, evalSha, but was undefined/],
    [
      'a client of another package',
      { client: { get: () => null } },
      /client lacks the methods eval, evalSha/,
    ],
    ['a misspelt option', { client, Prefix: 'a:' }, /Did you mean "prefix"\?/],
    [
      'a prefix that is not a string',
      { client, prefix: 1 },
      /prefix must be a string of up to 64 characters without braces, but was 1/,
    ],
    ['a prefix that has a hash tag', { client, prefix: '{app}:' }, /without braces/],
    ['a prefix of 65 characters', { client, prefix: 'a'.repeat(65) }, /up to 64 characters/],
  ])('a store on Redis cannot be constructed with %s', (_given, options, message) => {
    expect(() => new Store(options as never)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
    );
  });

  it('a store on Redis that is printed or written as JSON shows nothing of its client', () => {
    const password = 'a-secret-password';
    const store = new Store({ client: { ...client, password } as RedisClient });
    expect(inspect(store, { showHidden: true, depth: Infinity })).toBe(`${className} {}`);
    expect(JSON.stringify(store)).toBe('{}');
  });
});
