// What `backupCodesRouter` asks for before a change, if the app gives it no guard.
import type { Request, RequestHandler } from 'express';
import type { BackupCodes } from '../service/backup-codes';
import type { UserId } from '../stores/subject';
import { readLogin } from './login-record';
import { requireAssurance } from './require-assurance';
import { requireFreshSecondFactor } from './require-fresh-second-factor';

const FRESH_SECONDS = 300;
const bothFactors = requireAssurance({ factors: 2, maxAgeSeconds: FRESH_SECONDS });
const secondFactor = requireFreshSecondFactor({ withinSeconds: FRESH_SECONDS });
const oneFactor = requireAssurance({ factors: 1, maxAgeSeconds: FRESH_SECONDS });

/**
 * Without a set one fresh factor is enough, or the first set could never be made. If the login
 * showed a second factor, it must be that one: a password alone must not add codes beside an
 * authenticator app.
 */
export async function chooseGuard(
  req: Request,
  {
    backupCodes,
    userId,
  }: { readonly backupCodes: Pick<BackupCodes, 'status'>; readonly userId: UserId },
): Promise<RequestHandler> {
  if ((await backupCodes.status(userId)) !== null) return bothFactors;
  return readLogin(req)?.acr === 'aal2' ? secondFactor : oneFactor;
}
