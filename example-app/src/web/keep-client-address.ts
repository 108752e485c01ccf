// Where a request comes from, kept while it is known. Once a client hangs up, its connection has no
// address any more: the first half of a double click would count as a stranger's, from nowhere.
import type { RequestHandler } from 'express';

/** Mounted before anything that waits. */
export const keepClientAddress: RequestHandler = (req, res, next) => {
  const { ip } = req;
  if (ip === undefined) {
    // Gone already: as if it had never come.
    res.destroy();
    return;
  }
  Object.defineProperty(req, 'ip', { value: ip });
  next();
};
