// Describes `backupCodesRouter` as an OpenAPI document. `openapi.json` is the document itself.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';
import template from './openapi.json';

/** Options of `backupCodesOpenApi`. */
export interface BackupCodesOpenApiOptions {
  /**
   * The path at which the router is mounted: it begins with `/` and does not end with one.
   * @default '/backup-codes'
   */
  readonly basePath?: string;
}

/** An OpenAPI 3.1 document, as JSON. */
export interface OpenApiDescription {
  readonly openapi: '3.1.1';
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly Readonly<Record<string, unknown>>[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly tags: readonly Readonly<Record<string, unknown>>[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: Readonly<
    Record<
      'securitySchemes' | 'headers' | 'responses' | 'schemas',
      Readonly<Record<string, object>>
    >
  >;
}

/** The path that stands for the router in `openapi.json`. */
const TEMPLATE_PATH = '/backup-codes';

/**
 * Returns an OpenAPI 3.1.1 document of `backupCodesRouter`: to serve, to merge into the document of
 * your app, or to generate a client from. It is a new object at each call, so you may change it.
 *
 * It describes the default guard, and a session cookie called `connect.sid`. If your app has
 * another guard, or tokens, change `components.securitySchemes` and the answers with status 401.
 *
 * @example
 * ```ts
 * app.get('/openapi.json', (req, res) =>
 *   res.json(backupCodesOpenApi({ basePath: '/account/backup-codes' })),
 * );
 * ```
 *
 * @throws {BackupCodeError} `invalid_option`: `basePath` is not a path, or an option is unknown
 */
export function backupCodesOpenApi(options: BackupCodesOpenApiOptions = {}): OpenApiDescription {
  assertOptions('backupCodesOpenApi', options, ['basePath']);
  const { basePath = TEMPLATE_PATH } = options;
  assertBasePath(basePath);
  const paths = Object.fromEntries<object>(
    Object.entries(template.paths).map(([path, operations]) => [
      basePath + path.slice(TEMPLATE_PATH.length),
      operations,
    ]),
  );
  return structuredClone({ ...template, paths }) as OpenApiDescription;
}

function assertBasePath(basePath: unknown): void {
  if (typeof basePath === 'string' && /^(?:\/[\w.~!$&'()*+,;=:@%{}-]+)+$/.test(basePath)) return;
  const given = typeof basePath === 'string' ? `"${basePath}"` : describe(basePath);
  throw new BackupCodeError(
    'invalid_option',
    'basePath must be a path such as "/account/backup-codes", without a slash at its end, ' +
      `but was ${given}.`,
  );
}
