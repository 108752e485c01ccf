// What a request tells of where it came from, unless the app says otherwise. Trusts what the host trusts.
import type { Request } from 'express';
import type { Context } from '../audit/context';

export function requestContext(req: Request): Context {
  const { id } = req as { id?: unknown };
  return {
    ip: req.ip ?? req.socket?.remoteAddress,
    userAgent: req.headers['user-agent'],
    requestId: typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
  };
}
