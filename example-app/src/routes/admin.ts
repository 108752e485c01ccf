// For administrators: how the codes of all are doing, and of one account what was done and what may be done. No code is ever shown.
import { type Request, Router } from 'express';
import type { Report } from 'passport-backup-code';
import { activityOf } from '../activity';
import { leaveNotice, sendError, sendPage } from '../answers';
import { accountOf } from '../guards';
import type { Services } from '../services';

const DAY_MS = 86_400_000;
const DAYS = 30;
const ON_A_PAGE = 25;

export function adminRoutes({ users, authenticators, backupCodes, guards, now }: Pick<Services, 'users' | 'authenticators' | 'backupCodes' | 'guards' | 'now'>): Router {
  const router = Router();

  router.get('/admin', ...guards.admin, async (req, res) => {
    const after = textOf(req, 'after');
    const [report, accounts, page] = await Promise.all([backupCodes.report({ since: now() - DAYS * DAY_MS }), users.count(), users.page({ after, limit: ON_A_PAGE })]);
    const people = await Promise.all(page.map(async ({ id, username }) => ({ id, username, hasTotp: await authenticators.has(id), codes: await backupCodes.status(id) })));
    const unusual = await Promise.all(report.unusual.users.map(async (one) => ({ ...one, username: (await users.byId(one.userId))?.username ?? 'deleted' })));
    const next = page.length === ON_A_PAGE ? page.at(-1)?.username : undefined;
    sendPage('admin', { req, res }, { title: 'Administration', data: { report, accounts, people, unusual, next, days: chartOf(report, now()) } });
  });

  router.get('/admin/users/:id', ...guards.admin, async (req, res) => {
    const account = await users.byId(idOf(req));
    if (account === null) {
      sendError({ req, res }, NOBODY);
      return;
    }
    const { id } = account;
    const [hasTotp, codes, { events }] = await Promise.all([authenticators.has(id), backupCodes.status(id), backupCodes.events({ userId: id, order: 'newest-first', limit: ON_A_PAGE })]);
    const activity = { list: events.map(activityOf), isNewest: true, older: null };
    sendPage('admin-user', { req, res }, { title: account.username, data: { person: account, hasTotp, codes, activity } });
  });

  router.post('/admin/users/:id/revoke', ...guards.admin, ...guards.fresh, async (req, res) => {
    const account = await users.byId(idOf(req));
    if (account === null) {
      sendError({ req, res }, NOBODY);
      return;
    }
    const wasThere = await backupCodes.revoke(account.id, { ip: req.ip, userAgent: req.get('user-agent'), actor: accountOf(req).username });
    await leaveNotice(req, wasThere ? `The backup codes of ${account.username} have ended. They are asked for new ones when they next log in.` : `${account.username} had no backup codes.`);
    res.redirect(303, `/admin/users/${account.id}`);
  });

  return router;
}

const NOBODY = { status: 404, code: 'unknown_user', title: 'No such account', message: 'There is no such account, or not any more.' };

/** Each of the last days, also those on which nothing happened, with the height of its bars in percent of the highest. */
function chartOf({ days }: Report, now: number): { day: string; consumed: number; failed: number; consumedPercent: number; failedPercent: number }[] {
  const byDay = new Map(days.map(({ day, consumed, failures }) => [day, { consumed, failed: Object.values(failures).reduce((sum, count) => sum + count, 0) }]));
  const all = Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return { day, ...(byDay.get(day) ?? { consumed: 0, failed: 0 }) };
  });
  const highest = Math.max(1, ...all.map(({ consumed, failed }) => Math.max(consumed, failed)));
  return all.map((one) => ({ ...one, consumedPercent: Math.round((100 * one.consumed) / highest), failedPercent: Math.round((100 * one.failed) / highest) }));
}

function idOf(req: Request): string {
  const { id } = req.params;
  return typeof id === 'string' ? id : '';
}

function textOf(req: Request, name: string): string | null {
  const value = req.query[name];
  return typeof value === 'string' ? value : null;
}
