// What `backupCodesRouter` answers, as an OpenAPI 3.1 description: for an app's own description, or for a generator of clients. It tells of
// the default guard; one of the app's may answer otherwise, and so may its error handling.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';

/** Of the one app that the description is for. */
export interface BackupCodesOpenApiOptions {
  /** Where the router is mounted. Default `/backup-codes`. */
  readonly basePath?: string;
}

/** As JSON. Who is logged in, and how that is shown (`security`), is the app's to add. */
export interface OpenApiDescription {
  readonly openapi: '3.1.1';
  readonly info: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

/** JSON Schema 2020-12, or a part of OpenAPI. */
type Part = Readonly<Record<string, unknown>>;

const schemaRef = (name: string): Part => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Part): Part => ({ 'application/json': { schema } });
/** All that is named is there, and nothing else. */
const exactly = (properties: Part): Part => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const TIME = { type: 'integer', description: 'Milliseconds since 1970.' };
const TIME_OR_NEVER = { ...TIME, type: ['integer', 'null'] };
const SET_ID = { type: 'string', minLength: 1 };
const HEADERS = { 'Cache-Control': { required: true, schema: { const: 'no-store' } } };
const TEXT_HEADER = { required: true, schema: { type: 'string', minLength: 1 } };

const SCHEMAS = {
  SetStatus: exactly({
    setId: SET_ID,
    total: { type: 'integer', minimum: 1, description: 'Codes in the set, consumed ones too.' },
    remaining: { type: 'integer', minimum: 0 },
    createdAt: TIME,
    expiresAt: { ...TIME_OR_NEVER, description: 'Milliseconds since 1970; null: never.' },
    lastConsumedAt: {
      ...TIME_OR_NEVER,
      description: 'Milliseconds since 1970; null: none was consumed.',
    },
    locked: exactly({ secondFactor: { type: 'boolean' }, recovery: { type: 'boolean' } }),
    low: { type: 'boolean', description: 'Few are left.' },
    rotationDue: { type: 'boolean', description: 'It is time for a new set.' },
    expired: { type: 'boolean' },
  }),
  Status: exactly({
    set: {
      description: 'null where there is no set.',
      oneOf: [schemaRef('SetStatus'), { type: 'null' }],
    },
  }),
  IssuedSet: exactly({
    setId: SET_ID,
    codes: {
      type: 'array',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
      uniqueItems: true,
      description: 'They are in no other answer, ever.',
    },
    createdAt: TIME,
    expiresAt: { ...TIME_OR_NEVER, description: 'Milliseconds since 1970; null: never.' },
  }),
  Change: { type: 'object', description: 'Nothing in it is read.' },
  Activation: {
    type: 'object',
    properties: { setId: { ...SET_ID, description: 'Of the answer to /stage.' } },
    required: ['setId'],
  },
  Activated: exactly({ setId: SET_ID }),
  Revoked: exactly({ revoked: { type: 'boolean', description: 'Whether there was a set.' } }),
  InsufficientAuthentication: {
    type: 'object',
    description: 'RFC 9470: show more factors, or the same again, and repeat the request.',
    properties: {
      code: { const: 'insufficient_user_authentication' },
      message: { type: 'string' },
      acr_values: { type: 'string' },
      max_age: { type: 'integer', description: 'Seconds.' },
      factors: { type: 'integer', description: 'Kinds of factor that are asked for.' },
      fresh: { type: 'array', items: { enum: ['knowledge', 'possession', 'inherence'] } },
    },
    required: ['code', 'message', 'acr_values', 'factors', 'fresh'],
    additionalProperties: false,
  },
};

const refusal = (code: string, more: Part = {}): Part =>
  exactly({
    code: { const: code },
    message: { type: 'string', minLength: 1, description: 'For people; may change.' },
    ...more,
  });
const response = (
  description: string,
  { content, headers = {} }: { content?: Part; headers?: Part },
): Part => ({ description, headers: { ...HEADERS, ...headers }, ...(content && { content }) });
const success = (description: string, schema: keyof typeof SCHEMAS): Part =>
  response(description, { content: json(schemaRef(schema)) });

const LOGIN_REQUIRED = response('Nobody is logged in.', {
  content: json(refusal('login_required')),
  headers: { 'WWW-Authenticate': TEXT_HEADER },
});

/** What every change may be refused for. */
const CHANGE_REFUSED = {
  400: response('The body is no JSON object, or lacks something.', {
    content: json(refusal('invalid_body')),
  }),
  401: response('Nobody is logged in, or not surely or lately enough.', {
    content: json({ oneOf: [refusal('login_required'), schemaRef('InsufficientAuthentication')] }),
    headers: { 'WWW-Authenticate': TEXT_HEADER },
  }),
  403: response('A browser asks for a page of another origin.', {
    content: json(refusal('cross_site_request')),
  }),
  413: response('The body is too large.', { content: json(refusal('body_too_large')) }),
  415: response('The body is not sent as application/json.', {
    content: json(refusal('unsupported_media_type')),
  }),
};
const BUSY = {
  503: response('Too many sets are being made.', {
    content: json(refusal('busy', { retryAfterSeconds: { type: 'integer', minimum: 1 } })),
    headers: {
      'Retry-After': { required: true, schema: { type: 'string', pattern: '^[1-9]\\d*$' } },
    },
  }),
};
const change = (
  operationId: string,
  summary: string,
  { body = 'Change', responses }: { body?: keyof typeof SCHEMAS; responses: Part },
): Part => ({
  operationId,
  summary,
  requestBody: { required: true, content: json(schemaRef(body)) },
  responses: { ...CHANGE_REFUSED, ...responses },
});

const ROOT = {
  get: {
    operationId: 'getBackupCodeStatus',
    summary: 'How many codes are left. Never a code.',
    responses: { 200: success('The status.', 'Status'), 401: LOGIN_REQUIRED },
  },
  head: {
    operationId: 'headBackupCodeStatus',
    summary: 'The same, without a body.',
    responses: {
      200: response('There is a status.', {}),
      401: response('Nobody is logged in.', { headers: { 'WWW-Authenticate': TEXT_HEADER } }),
    },
  },
  post: change('issueBackupCodes', 'A new set, which works at once; the old one no longer does.', {
    responses: { 201: success('The codes, this once.', 'IssuedSet'), ...BUSY },
  }),
  delete: change('revokeBackupCodes', 'Ends the set, and a staged one.', {
    responses: { 200: success('There is no set any more.', 'Revoked') },
  }),
};
const STAGE = {
  post: change(
    'stageBackupCodes',
    'A new set, which works once it is activated, within the hour. The old one works until then.',
    {
      responses: { 201: success('The codes, this once.', 'IssuedSet'), ...BUSY },
    },
  ),
};
const ACTIVATE = {
  post: change(
    'activateBackupCodes',
    'Puts the staged set in the place of the old one. Asked again, it says the same.',
    {
      body: 'Activation',
      responses: {
        200: success('The set works.', 'Activated'),
        409: response('No such set is staged.', { content: json(refusal('not_staged')) }),
      },
    },
  ),
};

/** @throws {BackupCodeError} `invalid_option` */
export function backupCodesOpenApi(options: BackupCodesOpenApiOptions = {}): OpenApiDescription {
  assertOptions('backupCodesOpenApi', options, ['basePath']);
  const { basePath = '/backup-codes' } = options;
  if (typeof basePath !== 'string' || !/^(?:\/[\w.~!$&'()*+,;=:@%{}-]+)+$/.test(basePath)) {
    throw new BackupCodeError(
      'invalid_option',
      `basePath must be a path such as "/account/backup-codes", without a slash at its end, but was ${typeof basePath === 'string' ? `"${basePath}"` : describe(basePath)}.`,
    );
  }
  return structuredClone({
    openapi: '3.1.1',
    info: {
      title: 'Backup codes',
      version: '1',
      description:
        "A person's own backup codes. What is unexpected is answered by the error handling of the app.",
    },
    paths: { [basePath]: ROOT, [`${basePath}/stage`]: STAGE, [`${basePath}/activate`]: ACTIVATE },
    components: { schemas: SCHEMAS },
  });
}
