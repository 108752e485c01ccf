// A valid code is accepted through every body parser however it is typed, and never from a URL.
import fc from 'fast-check';
import { formats } from '../../lib';
import { fuzz, SEED } from '../helpers/fuzz';
import { writeSet } from '../helpers/write-set';
import { openService, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';
import { DASHES, DECORATIONS, INVISIBLE, SPACES, spellingOf } from '../helpers/code-spellings';
import { expressVersions } from './test-app';
import {
  CHANNELS,
  PARSERS_WITHOUT_FIELDS,
  openParserSite,
  PARSERS_WITH_FIELDS,
  type ParserSite,
} from './body-parsers';

const format = formats.recovery;
const SYMBOLS = 'L2B3C4D5E6F7G8H9';

/** A service in which ada has one code. */
async function serviceWith(
  symbols: string,
): Promise<{ backupCodes: Service['backupCodes']; cost: () => Promise<Cost> }> {
  const { backupCodes, hasher, watched, charged } = await openService(memory.open, { format });
  await writeSet(watched.store, { userId: 'ada', format, hasher, symbols: [symbols] });
  hasher.count = 0;
  watched.reset();
  return {
    backupCodes,
    cost: async () => ({
      hashes: hasher.count,
      calls: [...watched.calls],
      charged: await charged('ada'),
      left: (await backupCodes.status('ada'))?.remaining,
    }),
  };
}

interface Cost {
  readonly hashes: number;
  /** Calls of the store, by name. */
  readonly calls: readonly string[];
  /** On the second factor. */
  readonly charged: number;
  readonly left: number | undefined;
}

const UNTOUCHED: Cost = { hashes: 0, calls: [], charged: 0, left: 1 };
const CONSUMED: Cost = { hashes: 1, calls: ['takeAttempt', 'consume'], charged: 0, left: 0 };

describe.each(expressVersions)(`fuzzed with seed ${SEED}, on %s`, (_name, express) => {
  describe.each(PARSERS_WITH_FIELDS)('after $name', (parser) => {
    let site: ParserSite;
    beforeAll(async () => {
      site = await openParserSite(express, parser);
    });

    it('a valid code is accepted once, however it is decorated', async () => {
      await fc.assert(
        fc.asyncProperty(
          spellingOf(format),
          fc.constantFrom(...CHANNELS),
          async ({ symbols, parts }, channel) => {
            const { backupCodes, cost } = await serviceWith(symbols);
            const request = { channel, ...parser.write({ username: 'ada', code: parts.join('') }) };
            expect((await site.ask(backupCodes, request)).answer.status).toBe(200);
            expect(await cost()).toEqual(CONSUMED);
            expect((await site.ask(backupCodes, request)).answer.status).toBe(401);
          },
        ),
        fuzz(15),
      );
    });

    it.each([
      ['dash', DASHES],
      ['space', SPACES],
      ['invisible character', INVISIBLE],
      ['decoration', DECORATIONS.join('')],
    ])('every %s in a code is ignored', async (_what, characters) => {
      for (const channel of CHANNELS) {
        const { backupCodes, cost } = await serviceWith(SYMBOLS);
        const code = SYMBOLS.slice(0, 8) + characters + SYMBOLS.slice(8).toLowerCase();
        expect(
          (await site.ask(backupCodes, { channel, ...parser.write({ username: 'ada', code }) }))
            .answer.status,
        ).toBe(200);
        expect(await cost()).toEqual(CONSUMED);
      }
    });

    it('a valid code in the URL is not consumed, however it is typed and named there', async () => {
      await fc.assert(
        fc.asyncProperty(
          spellingOf(format),
          fc.constantFrom(...CHANNELS),
          fc.constantFrom('code', 'code[]', 'body[code]', '__proto__[code]'),
          async ({ symbols, parts }, channel, name) => {
            const { backupCodes, cost } = await serviceWith(symbols);
            const inUrl = new URLSearchParams({ username: 'ada', [name]: parts.join('') });
            const { answer } = await site.ask(backupCodes, {
              channel,
              query: `?${inUrl.toString()}`,
              ...parser.write({ username: 'ada' }),
            });
            expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
            expect(await cost()).toEqual(UNTOUCHED);
          },
        ),
        fuzz(10),
      );
    });
  });

  it.each(PARSERS_WITHOUT_FIELDS)(
    'after $name a body has no fields, so no code is read',
    async (parser) => {
      const site = await openParserSite(express, parser);
      for (const channel of CHANNELS) {
        const { backupCodes, cost } = await serviceWith(SYMBOLS);
        const { answer } = await site.ask(backupCodes, {
          channel,
          ...parser.write({ username: 'ada', code: SYMBOLS }),
        });
        expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
        expect(await cost()).toEqual(UNTOUCHED);
      }
    },
  );
});
