// Real body parsers before the strategy, as apps mount them.
import type { Request, RequestHandler } from 'express';
import multer from 'multer';
import type { BackupCodes } from '../../lib';
import {
  ada,
  openTestApp,
  makeStrategy,
  watchActions,
  type Answer,
  type ExpressModule,
} from './test-app';

export const CHANNELS = ['second_factor', 'recovery'] as const;
export type ChannelName = (typeof CHANNELS)[number];

export interface Parser {
  readonly name: string;
  readonly mount: (express: ExpressModule) => RequestHandler;
  /** A body that it understands. */
  readonly write: (fields: Readonly<Record<string, string>>) => RequestInit;
  /** Which kind of body it parses. */
  readonly bodyKind: 'form' | 'JSON' | 'multipart';
}

const LIMIT = '2mb';

/** Their result is an object with fields. */
export const PARSERS_WITH_FIELDS: readonly Parser[] = [
  {
    name: 'urlencoded, simple',
    mount: (express) => express.urlencoded({ extended: false, limit: LIMIT }),
    write: asForm,
    bodyKind: 'form',
  },
  {
    name: 'urlencoded, extended',
    mount: (express) => express.urlencoded({ extended: true, limit: LIMIT }),
    write: asForm,
    bodyKind: 'form',
  },
  {
    name: 'json',
    mount: (express) => express.json({ strict: false, limit: LIMIT }),
    write: asJson,
    bodyKind: 'JSON',
  },
  {
    name: 'raw, parsed as JSON by the app',
    mount: (express) => readByApp(express.raw({ type: '*/*', limit: LIMIT })),
    write: asJson,
    bodyKind: 'JSON',
  },
  {
    name: 'text, parsed as JSON by the app',
    mount: (express) => readByApp(express.text({ type: '*/*', limit: LIMIT })),
    write: asJson,
    bodyKind: 'JSON',
  },
  {
    name: 'multer().none()',
    mount: () => multer().none(),
    write: asMultipart,
    bodyKind: 'multipart',
  },
  {
    name: 'multer().fields()',
    mount: () =>
      multer().fields([
        { name: 'photo', maxCount: 2 },
        { name: 'code', maxCount: 2 },
      ]),
    write: asMultipart,
    bodyKind: 'multipart',
  },
  {
    name: 'multer().any()',
    mount: () => multer().any(),
    write: asMultipart,
    bodyKind: 'multipart',
  },
];

/** Their result is bytes or a string. After them no user is ever let in. */
export const PARSERS_WITHOUT_FIELDS: readonly Parser[] = [
  {
    name: 'raw',
    mount: (express) => express.raw({ type: '*/*', limit: LIMIT }),
    write: asJson,
    bodyKind: 'JSON',
  },
  {
    name: 'text',
    mount: (express) => express.text({ type: '*/*', limit: LIMIT }),
    write: asJson,
    bodyKind: 'JSON',
  },
];

export interface ParserSite {
  /** Sends one request. Call it again only after the answer. */
  ask(
    backupCodes: BackupCodes,
    request: RequestInit & { readonly channel: ChannelName; readonly query?: string },
  ): Promise<{
    readonly answer: Answer;
    /** What the strategy got, or `null` if the parser refused the request. */
    readonly parsed: { readonly body: unknown } | null;
  }>;
}

/** One parser before both channels. A body that the parser refuses is answered with 400. */
export async function openParserSite(express: ExpressModule, parser: Parser): Promise<ParserSite> {
  let parsed: { body: unknown } | null = null;
  let served: BackupCodes | null = null;
  const host = await openTestApp(
    express,
    (app, { passport }) => {
      const parse = parser.mount(express);
      app.post('/:channel', (req, res, next) => {
        void parse(req, res, (error?: unknown) => {
          if (error) res.status(400).json({ info: { code: 'refused by the parser' } });
          else next();
        });
      });
      for (const channel of CHANNELS) {
        app.post(`/${channel}`, (req, res, next) => {
          parsed = { body: req.body };
          if (channel === 'second_factor') Reflect.set(req, 'user', ada);
          const answer = (error: unknown, user: unknown, info: unknown, status: unknown): void => {
            if (error) next(error);
            else res.status(Number(status ?? 200)).json({ user, info });
          };
          (
            passport.authenticate(
              watchActions(makeStrategy(served!, channel)),
              answer,
            ) as RequestHandler
          )(req, res, next);
        });
      }
    },
    { parsers: [] },
  );
  return {
    ask: async (backupCodes, { channel, query = '', ...init }) => {
      parsed = null;
      served = backupCodes;
      const answer = await host.send(`/${channel}${query}`, { method: 'POST', ...init });
      return { answer, parsed };
    },
  };
}

/** Reads the bytes first, as webhook handlers do for a signature. */
function readByApp(parse: RequestHandler): RequestHandler {
  return (req: Request, res, next) => {
    void parse(req, res, (error?: unknown) => {
      let refusal = error;
      try {
        req.body = JSON.parse(String(req.body));
      } catch (thrown) {
        refusal ??= thrown;
      }
      next(refusal);
    });
  };
}

function asForm(fields: Readonly<Record<string, string>>): RequestInit {
  return { body: new URLSearchParams(fields) };
}

function asJson(fields: Readonly<Record<string, string>>): RequestInit {
  return { body: JSON.stringify(fields), headers: { 'content-type': 'application/json' } };
}

function asMultipart(fields: Readonly<Record<string, string>>): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return { body };
}
