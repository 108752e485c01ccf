// Real body parsers in front of the strategy, as apps mount them. Tells what each of them made of a body.
import type { Request, RequestHandler } from 'express';
import multer from 'multer';
import type { BackupCodes } from '../../lib';
import { ada, openHost, strategyOf, watch, type Answer, type ExpressModule } from './host';

export const CHANNELS = ['second_factor', 'recovery'] as const;
export type ChannelName = (typeof CHANNELS)[number];

export interface Parser {
  readonly name: string;
  readonly mount: (express: ExpressModule) => RequestHandler;
  /** A body that it understands. */
  readonly write: (fields: Readonly<Record<string, string>>) => RequestInit;
  /** What a client sends it that means harm is made of. */
  readonly speaks: 'form' | 'JSON' | 'multipart';
}

const LIMIT = '2mb';

/** Those of which an object comes, with fields. */
export const PARSERS: readonly Parser[] = [
  {
    name: 'urlencoded, simple',
    mount: (express) => express.urlencoded({ extended: false, limit: LIMIT }),
    write: asForm,
    speaks: 'form',
  },
  {
    name: 'urlencoded, extended',
    mount: (express) => express.urlencoded({ extended: true, limit: LIMIT }),
    write: asForm,
    speaks: 'form',
  },
  {
    name: 'json',
    mount: (express) => express.json({ strict: false, limit: LIMIT }),
    write: asJson,
    speaks: 'JSON',
  },
  {
    name: 'raw, read as JSON by the app',
    mount: (express) => readByApp(express.raw({ type: '*/*', limit: LIMIT })),
    write: asJson,
    speaks: 'JSON',
  },
  {
    name: 'text, read as JSON by the app',
    mount: (express) => readByApp(express.text({ type: '*/*', limit: LIMIT })),
    write: asJson,
    speaks: 'JSON',
  },
  {
    name: 'multer().none()',
    mount: () => multer().none(),
    write: asMultipart,
    speaks: 'multipart',
  },
  {
    name: 'multer().fields()',
    mount: () =>
      multer().fields([
        { name: 'photo', maxCount: 2 },
        { name: 'code', maxCount: 2 },
      ]),
    write: asMultipart,
    speaks: 'multipart',
  },
  { name: 'multer().any()', mount: () => multer().any(), write: asMultipart, speaks: 'multipart' },
];

/** Those of which bytes or a text come, and no fields: with them nobody is ever let in. */
export const FIELDLESS: readonly Parser[] = [
  {
    name: 'raw',
    mount: (express) => express.raw({ type: '*/*', limit: LIMIT }),
    write: asJson,
    speaks: 'JSON',
  },
  {
    name: 'text',
    mount: (express) => express.text({ type: '*/*', limit: LIMIT }),
    write: asJson,
    speaks: 'JSON',
  },
];

export interface ParserSite {
  /** Sends one request, after the one before was answered. */
  ask(
    backupCodes: BackupCodes,
    request: RequestInit & { readonly channel: ChannelName; readonly query?: string },
  ): Promise<{
    readonly answer: Answer;
    /** What the strategy was given; `null` where the parser turned the request away. */
    readonly parsed: { readonly body: unknown } | null;
  }>;
}

/** One parser before both channels. What the parser itself refuses the app answers with 400. */
export async function openParserSite(express: ExpressModule, parser: Parser): Promise<ParserSite> {
  let parsed: { body: unknown } | null = null;
  let served: BackupCodes | null = null;
  const host = await openHost(
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
          (passport.authenticate(watch(strategyOf(served!, channel)), answer) as RequestHandler)(
            req,
            res,
            next,
          );
        });
      }
    },
    { parsers: [] },
  );
  return {
    ask: async (backupCodes, { channel, query = '', ...init }) => {
      [parsed, served] = [null, backupCodes];
      const answer = await host.send(`/${channel}${query}`, { method: 'POST', ...init });
      return { answer, parsed };
    },
  };
}

/** As webhook handlers do, that need the bytes for a signature first. */
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
