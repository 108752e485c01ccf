import { userKeys } from '../../lib/redis/keys';
import { newUser } from '../../lib/testing/samples';

const USERS = 2000;

describe('the keys of a user on Redis', () => {
  it('all Redis keys of a user have one hash tag', () => {
    for (let n = 0; n < USERS; n += 1) {
      expect(hashTagsOf(userKeys('app:', newUser().key)).size).toBe(1);
    }
  });

  it('the hash tag of a user on Redis does not depend on the prefix', () => {
    const { key } = newUser();
    expect(hashTagsOf(userKeys('app:', key))).toEqual(hashTagsOf(userKeys('other:', key)));
  });

  it('users are spread over 64 hash tags on Redis', () => {
    const tags = new Set<string>();
    for (let n = 0; n < USERS; n += 1) {
      for (const tag of hashTagsOf(userKeys('app:', newUser().key))) tags.add(tag);
    }
    const sorted = [...tags].map(Number).sort((a, b) => a - b);
    expect(sorted).toEqual(Array.from({ length: 64 }, (_, n) => n));
  });
});

function hashTagsOf(keys: object): Set<string> {
  const names = Object.values(keys) as string[];
  return new Set(names.map((name) => /^[a-z]+:\{(\d+)\}:/.exec(name)?.[1] ?? `none in ${name}`));
}
