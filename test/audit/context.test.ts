import fc from 'fast-check';
import type { Context } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { failure } from '../helpers/errors';

const nothing = {
  ip: null,
  userAgent: null,
  requestId: null,
  actor: null,
  channel: 'second_factor',
};

describe('the context of an attempt', () => {
  it('Without a context all fields are null and the channel is `second_factor`', () => {
    expect(cleanContext()).toEqual(nothing);
    expect(cleanContext({})).toEqual(nothing);
  });

  it('All fields of a context are kept', () => {
    const context: Context = {
      ip: '2001:db8::1',
      userAgent: 'Mozilla/5.0 (X11; Zo\u00eb)',
      requestId: 'r-1',
      actor: 'admin',
      channel: 'recovery',
    };
    expect(cleanContext(context)).toEqual(context);
  });

  it('Each field is cut to 256 characters', () => {
    expect(cleanContext({ userAgent: 'x'.repeat(10_000) }).userAgent).toBe('x'.repeat(256));
  });

  it('Control and direction characters become spaces', () => {
    expect(
      cleanContext({
        userAgent: 'a\r\nb\u001b[31mc\u0000d\u2028e\u2029f\u202eg\u0085h\u007fi\u2066j',
      }).userAgent,
    ).toBe('a  b [31mc d e f g h i j');
  });

  it('Unpaired surrogates are removed, also if the cut made one', () => {
    expect(cleanContext({ ip: 'a\ud800b\udc00c' }).ip).toBe('a b c');
    expect(cleanContext({ ip: `${'x'.repeat(255)}\u{1F511}` }).ip).toBe('x'.repeat(255));
  });

  it('A field that is blank or not a string becomes null', () => {
    for (const value of ['', '  ', '\r\n', null, {}, [], true, () => 'x', Symbol('x')])
      expect(cleanContext({ ip: value as string }).ip).toBeNull();
  });

  it('Numbers become strings', () => {
    expect(
      cleanContext({ requestId: 42 as unknown as string, actor: 7n as unknown as string }),
    ).toMatchObject({ requestId: '42', actor: '7' });
  });

  it('Any field value is accepted, and the result is safe for databases and logs', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.anything()),
        (value) => {
          const { userAgent } = cleanContext({ userAgent: value as string });
          if (userAgent === null) return;
          expect(userAgent.length).toBeLessThanOrEqual(256);
          expect(userAgent).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029]/u);
          expect(userAgent).toBe(userAgent.trim());
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each<[string, unknown]>([
    ['an unknown field', { userAgents: 'x' }],
    ['an unknown channel', { after: 'password' }],
    ['a channel that is true', { after: true }],
    ['null', null],
    ['a string', '127.0.0.1'],
    ['a list', ['127.0.0.1']],
  ])('%s is refused as a mistake of the app', (_what, context) => {
    expect(() => cleanContext(context as Context)).toThrow(failure('invalid_option'));
  });
});
