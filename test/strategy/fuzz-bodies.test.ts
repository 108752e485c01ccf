// Random bodies through every parser: a code is read from an own string field of the body, and from
// nothing else. Everything else is 400 and costs nothing. No answer is 500 or missing, and no
// prototype is changed.
import fc from 'fast-check';
import { formats } from '../../lib';
import { readCode } from '../../lib/codes/read-code';
import { fuzz, SEED } from '../helpers/fuzz';
import { writeSet } from '../helpers/write-set';
import { openService } from '../helpers/service';
import { memory } from '../helpers/stores';
import { expressVersions } from './test-app';
import {
  CHANNELS,
  PARSERS_WITHOUT_FIELDS,
  openParserSite,
  PARSERS_WITH_FIELDS,
  type ChannelName,
  type Parser,
  type ParserSite,
} from './body-parsers';

const format = formats.recovery;
const SYMBOLS = 'ABCDEFGHJKLMNPQR';
const VALID = 'ABCD-EFGH-JKLM-NPQR';
const INVALID = 'AAAA-AAAA-AAAA-AAAA';
/** Sent with each request. A code in the URL must never be read. */
const QUERY = `?username=ada&code=${VALID}&code[]=${VALID}&__proto__[code]=${VALID}`;

/** Names that a parser may turn into a list, an object or a prototype. */
const NESTED = [
  'code[]',
  'code[0]',
  'code[99]',
  'code[code]',
  'code[$ne]',
  '__proto__[code]',
  'constructor[prototype][code]',
];
const NAMES = [
  'username',
  'Code',
  'code ',
  'code[',
  'code.code',
  'code\0',
  '__proto__',
  'constructor',
  'toString',
  'length',
  '',
];
const TEXTS = [
  `${VALID}\0`,
  `${VALID},${VALID}`,
  `${VALID}A`,
  '',
  ' \t',
  '----',
  'ada',
  '__proto__',
  '{"$ne":null}',
  `["${VALID}"]`,
  '\uD800',
];

const name = fc.oneof(
  { weight: 6, arbitrary: fc.constant('code') },
  { weight: 4, arbitrary: fc.constantFrom(...NESTED) },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
);
const text = fc.oneof(
  { weight: 20, arbitrary: fc.constant(VALID) },
  { weight: 5, arbitrary: fc.constant(INVALID) },
  { weight: 10, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 5, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  {
    weight: 5,
    arbitrary: fc
      .array(fc.nat({ max: 0xffff }), { maxLength: 40 })
      .map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.constant('A'.repeat(2 ** 20)) },
);

/** A field of a body: its name, its value, and how it is written. */
type Field = readonly [name: string, value: string, more: string];

/** Some fields, or one field beside a valid user name. */
function fields(
  value: fc.Arbitrary<string>,
  more: fc.Arbitrary<string>,
  username: Field,
): fc.Arbitrary<Field[]> {
  const field = fc.tuple(name, value, more);
  return fc.oneof(
    fc.array(field, { maxLength: 4, depthIdentifier: 'json' }),
    field.map((only): Field[] => [username, only]),
  );
}

/** JSON as a string, in which a name can occur twice and `__proto__` is an ordinary name. */
const { record, json } = fc.letrec<{ json: string; scalar: string; list: string; record: string }>(
  (tie) => ({
    json: fc.oneof(
      { maxDepth: 3, depthSize: 'large', depthIdentifier: 'json' },
      tie('scalar'),
      tie('list'),
      tie('record'),
    ),
    scalar: fc.oneof(
      { weight: 3, arbitrary: text.map((value) => JSON.stringify(value)) },
      fc.constantFrom('null', 'true', '0', '-0', '12345678', '1e999'),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    ),
    list: fc
      .oneof(
        tie('scalar').map((item) => [item]),
        fc.array(tie('json'), { maxLength: 4, depthIdentifier: 'json' }),
      )
      .map((items) => `[${items.join()}]`),
    record: fields(tie('json'), fc.constant(''), ['username', '"ada"', '']).map(
      (given) => `{${given.map(([field, value]) => `${JSON.stringify(field)}:${value}`).join()}}`,
    ),
  }),
);

const form = fields(text, fc.constantFrom('escaped', 'as it is'), [
  'username',
  'ada',
  'escaped',
]).map((given) =>
  given
    .map(([field, value, how]) =>
      how === 'escaped' ? new URLSearchParams([[field, value]]).toString() : `${field}=${value}`,
    )
    .join('&'),
);

const BOUNDARY = '----fuzz';
/** Fields and files, some of them truncated. */
const multipart = fc
  .tuple(
    fields(text, fc.constantFrom('', '', '; filename="x.txt"'), ['username', 'ada', '']),
    fc.option(fc.nat({ max: 300 }), { freq: 5 }),
  )
  .map(([given, cut]) => {
    const whole = [
      ...given.map(
        ([field, value, file]) =>
          `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"${file}\r\n\r\n${value}\r\n`,
      ),
      `--${BOUNDARY}--\r\n`,
    ].join('');
    return cut === null ? whole : whole.slice(0, cut);
  });

const BODIES: Readonly<Record<Parser['bodyKind'], { body: fc.Arbitrary<string>; type: string }>> = {
  JSON: { body: fc.oneof({ weight: 9, arbitrary: record }, json), type: 'application/json' },
  form: { body: form, type: 'application/x-www-form-urlencoded' },
  multipart: { body: multipart, type: `multipart/form-data; boundary=${BOUNDARY}` },
};
const TYPES = [
  ...Object.values(BODIES).map(({ type }) => type),
  'application/json; charset=utf-16',
  'application/x-www-form-urlencoded; charset=iso-8859-1',
  'multipart/form-data',
  'text/plain',
  'application/octet-stream',
  '',
];

/** Mostly bodies that the parser understands, mostly with a user name; sometimes any bytes. */
function anyRequest({ bodyKind, write }: Parser): fc.Arbitrary<RequestInit> {
  const spoken = BODIES[bodyKind];
  const request = (body: BodyInit, type: string): RequestInit => ({
    body,
    headers: { 'content-type': type },
  });
  return fc.oneof(
    { weight: 20, arbitrary: spoken.body.map((body) => request(body, spoken.type)) },
    { weight: 5, arbitrary: text.map((code) => write({ username: 'ada', code })) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...TYPES))
        .map(([bytes, type]) => request(Buffer.from(bytes), type)),
    },
  );
}

type Verdict = 'refused by the parser' | 'malformed' | 'invalid_code' | 'consumed';

/** The expected answer to a parsed body. */
function verdictOn(parsed: { readonly body: unknown } | null, channel: ChannelName): Verdict {
  if (parsed === null) return 'refused by the parser';
  const own = (field: string): unknown =>
    typeof parsed.body === 'object' && parsed.body !== null
      ? Object.getOwnPropertyDescriptor(parsed.body, field)?.value
      : undefined;
  const username = own('username');
  const symbols = readCode(format, own('code'));
  const isNamed = typeof username === 'string' && username.length >= 1 && username.length <= 320;
  if (symbols === null || (channel === 'recovery' && !isNamed)) return 'malformed';
  return symbols === SYMBOLS && (channel === 'second_factor' || username === 'ada')
    ? 'consumed'
    : 'invalid_code';
}

/** Status, hashes, counted attempts and codes left, for each verdict. */
const COST: Readonly<
  Record<Verdict, { status: number; hashes: number; attempts: number; left: number }>
> = {
  'refused by the parser': { status: 400, hashes: 0, attempts: 0, left: 1 },
  malformed: { status: 400, hashes: 0, attempts: 0, left: 1 },
  invalid_code: { status: 401, hashes: 1, attempts: 1, left: 1 },
  consumed: { status: 200, hashes: 1, attempts: 1, left: 0 },
};

const PROTOTYPES: readonly object[] = [
  Object.prototype,
  Array.prototype,
  String.prototype,
  Function.prototype,
  Buffer.prototype,
];
const pristine = PROTOTYPES.map(
  (prototype) =>
    new Map(
      Reflect.ownKeys(prototype).map((key) => [
        key,
        Object.getOwnPropertyDescriptor(prototype, key)?.value as unknown,
      ]),
    ),
);

/** Keys that were added to a prototype, or changed there. */
function changedPrototypes(): string[] {
  return PROTOTYPES.flatMap((prototype, index) =>
    Reflect.ownKeys(prototype)
      .filter(
        (key) =>
          !pristine[index]!.has(key) ||
          pristine[index]!.get(key) !== Object.getOwnPropertyDescriptor(prototype, key)?.value,
      )
      .map(String),
  );
}
afterEach(() => expect(changedPrototypes()).toEqual([]));

describe.each(expressVersions)(`fuzzed with seed ${SEED}, on %s`, (_name, express) => {
  describe.each([...PARSERS_WITH_FIELDS, ...PARSERS_WITHOUT_FIELDS])('after $name', (parser) => {
    let site: ParserSite;
    beforeAll(async () => {
      site = await openParserSite(express, parser);
    });

    /** Sends it to a new service, and checks status, hashes, attempts and codes left. */
    async function ask(channel: ChannelName, request: RequestInit): Promise<Verdict> {
      const { backupCodes, hasher, watched } = await openService(memory.open, { format });
      await writeSet(watched.store, { userId: 'ada', format, hasher, symbols: [SYMBOLS] });
      hasher.count = 0;
      watched.reset();
      const { answer, parsed } = await site.ask(backupCodes, { channel, query: QUERY, ...request });
      const verdict = verdictOn(parsed, channel);
      const attempts = watched.calls.filter((call) => call === 'takeAttempt').length;
      const left = (await backupCodes.status('ada'))?.remaining;
      expect({
        verdict: answer.status === 200 ? 'consumed' : answer.body?.info.code,
        status: answer.status,
        hashes: hasher.count,
        attempts,
        left,
      }).toEqual({ verdict, ...COST[verdict] });
      return verdict;
    }

    it('only an own string field of the body is read as a code', async () => {
      const verdicts = new Set<Verdict>();
      const examples = [VALID, INVALID, ''].map((code): [ChannelName, RequestInit] => [
        'second_factor',
        parser.write({ code }),
      ]);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...CHANNELS),
          anyRequest(parser),
          async (channel, request) => {
            verdicts.add(await ask(channel, request));
          },
        ),
        { ...fuzz(60), examples },
      );
      const hasFields = PARSERS_WITH_FIELDS.includes(parser);
      expect([...verdicts].filter((verdict) => verdict !== 'refused by the parser').sort()).toEqual(
        hasFields ? ['consumed', 'invalid_code', 'malformed'] : ['malformed'],
      );
    });

    it('a code on Object.prototype is not read', async () => {
      const prototype = Object.prototype as unknown as Record<string, unknown>;
      for (const channel of CHANNELS) {
        Object.assign(prototype, { code: VALID, username: 'ada' });
        try {
          expect(await ask(channel, parser.write({ other: VALID }))).toBe('malformed');
        } finally {
          delete prototype['code'];
          delete prototype['username'];
        }
      }
    });
  });
});
