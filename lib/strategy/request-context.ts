// Where a request came from, for the audit trail. Trusts what the host trusts: set `trust proxy`
// behind a proxy.
import type { Request } from 'express';
import type { Context } from '../audit/context';

/** The default of the option `context`. */
export function requestContext(req: Request): Context {
  const { id } = req as { id?: unknown };
  return {
    ip: req.ip ?? req.socket?.remoteAddress,
    userAgent: req.headers['user-agent'],
    requestId: typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
  };
}
