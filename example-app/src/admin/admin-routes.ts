// The pages for administrators: statistics about all codes, and the state and activity of one
// account. A code is never shown.
import { type Request, Router } from 'express';
import type { Report } from 'passport-backup-code';
import { getAccount } from '../login/guards';
import { describeActivity } from '../security-page/activity';
import { leaveNotice, sendError, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { type ListName, listAccounts, LISTS } from './account-lists';
import {
  type Day,
  drawDayChart,
  type DayChart,
  summarizeDays,
  type Share,
  computeShares,
} from './charts';

const DAY_MS = 86_400_000;
const DAYS = 30;
const PAGE_SIZE = 25;

export function adminRoutes(
  services: Pick<Services, 'users' | 'secondFactors' | 'backupCodes' | 'guards' | 'now'>,
): Router {
  const { users, secondFactors, backupCodes, guards, now } = services;
  const router = Router();

  router.get('/admin', ...guards.admin, async (req, res) => {
    const list = readListName(req);
    const [report, accounts] = await Promise.all([
      backupCodes.audit.report({ since: now() - DAYS * DAY_MS }),
      users.count(),
    ]);
    const names = await Promise.all(
      report.unusual.users.map(
        async ({ userId }) => (await users.findById(userId))?.username ?? 'deleted',
      ),
    );
    const unusual = report.unusual.users.map((one, index) => ({ ...one, username: names[index] }));
    const { people, next } = await listAccounts(services, {
      list,
      after: readQuery(req, 'after'),
      unusual: new Set(unusual.map(({ userId }) => userId)),
    });
    const days = summarizeDays(report, { now: now(), count: DAYS });
    sendPage(
      'admin',
      { req, res },
      {
        title: 'Administration',
        data: {
          report,
          accounts,
          unusual,
          people,
          next,
          list,
          lists: LISTS,
          days,
          adoption: computeAdoption(report, accounts),
          charts: drawCharts(days),
        },
      },
    );
  });

  router.get('/admin/users/:id', ...guards.admin, async (req, res) => {
    const account = await users.findById(readId(req));
    if (account === null) {
      sendError({ req, res }, UNKNOWN_ACCOUNT);
      return;
    }
    const { id } = account;
    const [factors, codes, { events }] = await Promise.all([
      secondFactors.list(id),
      backupCodes.status(id),
      backupCodes.audit.events({ userId: id, order: 'newest-first', limit: PAGE_SIZE }),
    ]);
    const activity = { list: events.map(describeActivity), isNewest: true, older: null };
    sendPage(
      'admin-user',
      { req, res },
      { title: account.username, data: { person: account, ...factors, codes, activity } },
    );
  });

  router.post('/admin/users/:id/revoke', ...guards.admin, ...guards.fresh, async (req, res) => {
    const account = await users.findById(readId(req));
    if (account === null) {
      sendError({ req, res }, UNKNOWN_ACCOUNT);
      return;
    }
    const wasThere = await backupCodes.revoke(account.id, {
      ip: req.ip,
      userAgent: req.get('user-agent'),
      actor: getAccount(req).username,
    });
    await leaveNotice(
      req,
      wasThere
        ? `The backup codes of ${account.username} have ended. ` +
            'They are asked for new ones when they next log in.'
        : `${account.username} had no backup codes.`,
    );
    res.redirect(303, `/admin/users/${account.id}`);
  });

  return router;
}

const UNKNOWN_ACCOUNT = {
  status: 404,
  code: 'unknown_user',
  title: 'No such account',
  message: 'There is no such account, or it was deleted.',
};

/** The state of all accounts. Each account is in exactly one group. */
function computeAdoption({ users, low, exhausted, expired }: Report, accounts: number): Share[] {
  return computeShares([
    { id: 'good', label: 'Enough codes', count: users - low - exhausted - expired },
    { id: 'low', label: 'Few left', count: low },
    { id: 'dead', label: 'None that work', count: exhausted + expired },
    { id: 'without', label: 'Without codes', count: Math.max(0, accounts - users) },
  ]);
}

function drawCharts(days: readonly Day[]): DayChart[] {
  return [
    drawDayChart(days, { id: 'issued', title: 'Sets made' }),
    drawDayChart(days, { id: 'consumed', title: 'Codes used' }),
    drawDayChart(days, { id: 'refused', title: 'Attempts refused' }),
  ];
}

function readListName(req: Request): ListName {
  const name = readQuery(req, 'show') ?? '';
  return Object.hasOwn(LISTS, name) ? (name as ListName) : 'all';
}

function readId(req: Request): string {
  const { id } = req.params;
  return typeof id === 'string' ? id : '';
}

function readQuery(req: Request, name: string): string | null {
  const value = req.query[name];
  return typeof value === 'string' ? value : null;
}
