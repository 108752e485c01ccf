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
  it('may be left out: nothing is known, and a first factor came before', () => {
    expect(cleanContext()).toEqual(nothing);
    expect(cleanContext({})).toEqual(nothing);
  });

  it('keeps what the app knows', () => {
    const context: Context = {
      ip: '2001:db8::1',
      userAgent: 'Mozilla/5.0 (X11; Zo\u00eb)',
      requestId: 'r-1',
      actor: 'admin',
      channel: 'recovery',
    };
    expect(cleanContext(context)).toEqual(context);
  });

  it('is cut to 256 characters a field', () => {
    expect(cleanContext({ userAgent: 'x'.repeat(10_000) }).userAgent).toBe('x'.repeat(256));
  });

  it('turns controls, line and paragraph separators and turns of direction into spaces, so that no line of a log is forged', () => {
    expect(
      cleanContext({
        userAgent: 'a\r\nb\u001b[31mc\u0000d\u2028e\u2029f\u202eg\u0085h\u007fi\u2066j',
      }).userAgent,
    ).toBe('a  b [31mc d e f g h i j');
  });

  it('frees a field of half characters, also of one that the cut made', () => {
    expect(cleanContext({ ip: 'a\ud800b\udc00c' }).ip).toBe('a b c');
    expect(cleanContext({ ip: `${'x'.repeat(255)}\u{1F511}` }).ip).toBe('x'.repeat(255));
  });

  it('holds null for what is blank or no text', () => {
    for (const value of ['', '  ', '\r\n', null, {}, [], true, () => 'x', Symbol('x')])
      expect(cleanContext({ ip: value as string }).ip).toBeNull();
  });

  it('takes numbers as text', () => {
    expect(
      cleanContext({ requestId: 42 as unknown as string, actor: 7n as unknown as string }),
    ).toMatchObject({ requestId: '42', actor: '7' });
  });

  it('never fails on a field, and never lets one through that a database or a log could choke on', () => {
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
    ['a channel there is none of', { after: 'password' }],
    ['a channel that is true', { after: true }],
    ['null', null],
    ['text', '127.0.0.1'],
    ['a list', ['127.0.0.1']],
  ])('refuses %s: that is a mistake of the app, and no input', (_what, context) => {
    expect(() => cleanContext(context as Context)).toThrow(failure('invalid_option'));
  });
});
