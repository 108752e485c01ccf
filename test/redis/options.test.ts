import { inspect } from 'node:util';
import type { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { RedisStore, type RedisClient } from '../../lib/redis';
import { keysOf } from '../../lib/redis/keys';
import { newUser } from '../../lib/testing/samples';

const client: RedisClient = {
  eval: () => Promise.reject(new Error('unused')),
  evalSha: () => Promise.reject(new Error('unused')),
};

/** Compiles: every kind of client that `redis` makes will do. */
export function asRedisClients(
  single: ReturnType<typeof createClient>,
  cluster: ReturnType<typeof createCluster>,
  sentinel: ReturnType<typeof createSentinel>,
  pool: ReturnType<typeof createClientPool>,
): RedisClient[] {
  return [single, cluster, sentinel, pool];
}

describe('new RedisStore', () => {
  it.each([
    ['no options', undefined, /takes an options object, but was given undefined/],
    ['a bare client', client, /has no option "eval"/],
    ['no client', {}, /client must be an object with eval, evalSha, but was undefined/],
    [
      'a client of another kind',
      { client: { get: () => null } },
      /client lacks the methods eval, evalSha/,
    ],
    ['a misspelt option', { client, Prefix: 'a:' }, /Did you mean "prefix"\?/],
    [
      'a prefix that is no string',
      { client, prefix: 1 },
      /prefix must be a string of up to 64 characters without braces, but was 1/,
    ],
    ['a prefix with a hash tag of its own', { client, prefix: '{app}:' }, /without braces/],
    ['a prefix without end', { client, prefix: 'a'.repeat(65) }, /up to 64 characters/],
  ])('refuses %s', (_, options, message) => {
    expect(() => new RedisStore(options as never)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
    );
  });

  it('shows nothing of its client to whoever prints it', () => {
    expect([
      inspect(new RedisStore({ client })),
      JSON.stringify(new RedisStore({ client })),
    ]).toEqual(['RedisStore {}', '"RedisStore {}"']);
  });
});

describe('the keys of a user', () => {
  it('carry one hash tag of 64, which depends on the user alone', () => {
    const tags = new Set<string | undefined>();
    for (let n = 0; n < 2000; n += 1) {
      const { key } = newUser();
      const ofUser = new Set(keysOf('app:', key).map((name) => /^app:\{(\d+)\}:/.exec(name)?.[1]));
      expect(ofUser.size).toBe(1);
      expect(keysOf('other:', key).map((name) => name.replace('other:', 'app:'))).toEqual(
        keysOf('app:', key),
      );
      for (const tag of ofUser) tags.add(tag);
    }
    expect([...tags].map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, n) => n),
    );
  });
});
