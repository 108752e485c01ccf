// Stores the client address early. When a client disconnects, its connection has no address any
// more, and the first half of a double click would look like a request from an unknown place.
import type { RequestHandler } from 'express';

/** Mount it before any asynchronous middleware. */
export const keepClientAddress: RequestHandler = (req, res, next) => {
  const { ip } = req;
  if (ip === undefined) {
    // The client has already disconnected.
    res.destroy();
    return;
  }
  Object.defineProperty(req, 'ip', { value: ip });
  next();
};
