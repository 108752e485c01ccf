// The login functions and the service agree on what the id of a user is.
import type { UserId } from '../../lib';
import { openService } from '../helpers/service';
import { memory } from '../helpers/stores';
import { LoginSite } from './login-site';

const IDS: [string, unknown][] = [
  ['a string', 'ada'],
  ['255 characters', 'a'.repeat(255)],
  ['256 characters', 'a'.repeat(256)],
  ['an empty string', ''],
  ['a space', ' '],
  ['NUL', '\0'],
  ['half of a surrogate pair', 'a\ud800'],
  ['a whole surrogate pair', '\u{1f511}'],
  ['zero', 0],
  ['minus zero', -0],
  ['a negative number', -7],
  ['the last safe integer', Number.MAX_SAFE_INTEGER],
  ['an integer that is not safe', Number.MAX_SAFE_INTEGER + 1],
  ['a fraction', 1.5],
  ['NaN', NaN],
  ['infinity', Infinity],
  ['a bigint', 2n ** 64n],
  ['a negative bigint', -(2n ** 64n)],
  ['null', null],
  ['undefined', undefined],
  ['true', true],
  ['an array', ['ada']],
  ['an object', { id: 'ada' }],
  ['a symbol', Symbol('ada')],
];
let site: LoginSite;

afterEach(() => site.shut());

test.each(IDS)(
  'beginLogin and completeLogin accept the id if the service does: %s',
  async (_, id) => {
    const { backupCodes } = await openService(memory.open);
    const isAccepted = await backupCodes.status(id as UserId).then(
      () => true,
      () => false,
    );
    const userId = (): UserId => id as UserId;
    site = await LoginSite.open({ begin: { userId }, complete: { userId } });
    site.userById = () => ({ id: 'ada' });
    const browser = site.browser();
    const begun = await browser.post('/login', { user: 'ada' });
    const completed = await browser.post('/login/totp', { code: 'valid' });
    if (isAccepted) {
      expect(begun.body).toMatchObject({ pending: { userId: String(id), idType: typeof id } });
      expect(completed.body).toMatchObject({ user: 'ada', methods: ['pwd', 'totp'] });
    } else {
      expect(begun.body).toMatchObject({ error: 'invalid_user_id' });
      expect((await browser.get('/whoami')).body).toMatchObject({ user: null, pending: null });
    }
  },
);
