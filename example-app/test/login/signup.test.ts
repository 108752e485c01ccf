// Signing up and the first factor. Mistakes are shown at their fields, and an unknown name cannot
// be distinguished from an invalid password.
import bcrypt from 'bcrypt';
import { type Service, startService } from '../helpers/service';
import { errorIn, PASSWORD, signUp, tokenIn, Visitor } from '../helpers/visitor';

let service: Service;
beforeAll(async () => {
  service = await startService();
  await signUp(service, 'Ada');
});
afterAll(() => service.stop());

test.each([
  [
    'a missing user name',
    { username: '' },
    'username',
    'Use 1 to 64 letters, digits and . _ - + @.',
  ],
  [
    'a user name that contains a space',
    { username: 'a da' },
    'username',
    'Use 1 to 64 letters, digits and . _ - + @.',
  ],
  [
    'a user name of 65 letters',
    { username: 'a'.repeat(65) },
    'username',
    'Use 1 to 64 letters, digits and . _ - + @.',
  ],
  [
    'an invalid email address',
    { email: 'ada' },
    'email',
    'Enter an email address, like name@example.com.',
  ],
  [
    'an address with a line break',
    { email: 'a@example.com\nBcc: b@example.com' },
    'email',
    'Enter an email address, like name@example.com.',
  ],
  ['a short password', { password: 'short' }, 'password', 'Use at least 15 characters.'],
  [
    'a password that bcrypt would truncate',
    { password: '\u00f6'.repeat(37) },
    'password',
    'Use at most 72 bytes, which is as many plain letters.',
  ],
])(
  'The form shows an error for %s and keeps the other input',
  async (_what, fields, field, message) => {
    const visitor = new Visitor(service);
    const typed = { username: 'bob', email: 'bob@example.com', password: PASSWORD, ...fields };
    const { status, text } = await visitor.submit('/signup', typed);
    expect(status).toBe(400);
    expect(text).toContain(`id="${field}-error" role="alert">${message}</p>`);
    expect(text).toMatch(new RegExp(`aria-describedby="[^"]*${field}-error"`));
    expect(text).not.toContain(typed.password);
    if (field === 'password') expect(text).toContain('value="bob@example.com"');
  },
);

test('Input is escaped when the form is shown again', async () => {
  const visitor = new Visitor(service);
  const { text } = await visitor.submit('/signup', {
    username: '"><script>alert(1)</script>',
    email: 'x',
    password: PASSWORD,
  });
  expect(text).not.toContain('<script>');
});

test.each(['ada', ' ADA ', '\uff21da'])(
  '"%s" counts as the existing name "Ada"',
  async (username) => {
    const { status, text } = await new Visitor(service).submit('/signup', {
      username,
      email: 'other@example.com',
      password: PASSWORD,
    });
    expect([status, errorIn(text)]).toEqual([409, 'That user name is taken.']);
  },
);

test('If two users request one name at once, one gets it', async () => {
  const visitors = Array.from({ length: 2 }, () => new Visitor(service));
  const answers = await Promise.all(
    visitors.map((visitor) =>
      visitor.submit('/signup', { username: 'cyd', email: 'c@example.com', password: PASSWORD }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([303, 409]);
});

test('An unknown name and an invalid password get one answer after one hash each', async () => {
  const visitor = new Visitor(service);
  const compare = jest.spyOn(bcrypt, 'compare');
  const ask = async (
    username: string,
    password: string,
  ): Promise<{ status: number; error: string | undefined; page: string; hashes: number }> => {
    compare.mockClear();
    const { status, text } = await visitor.submit('/login', { username, password });
    return {
      status,
      error: errorIn(text),
      page: text.replace(tokenIn(text), '').replace(username, ''),
      hashes: compare.mock.calls.length,
    };
  };
  const refused = await ask('ada', 'not the password');
  expect(await ask('unknown', PASSWORD)).toEqual(refused);
  expect(await ask('ada', '\u00f6'.repeat(100))).toEqual(refused);
  expect(refused).toMatchObject({
    status: 401,
    error: 'Invalid user name or password.',
    hashes: 1,
  });
  compare.mockRestore();
});

test('A JSON client receives a JSON error', async () => {
  const program = new Visitor(service);
  const { text } = await program.get('/login');
  program.headers.accept = 'application/json';
  const answer = await program.post('/login', {
    _csrf: tokenIn(text),
    username: 'ada',
    password: 'not the password',
  });
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.text)).toEqual({
    error: { code: 'invalid_credentials', message: 'Invalid user name or password.' },
  });
});
