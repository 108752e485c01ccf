// The pages of what takes two administrators: one asks, with a backup code; another, on a machine
// of their own, sees what it is about and approves it with a backup code or denies it; either runs
// it. Links only show: everything is done by a form.
import { type Request, type Response, Router } from 'express';
import type { Approval, ApprovalOutcome, ApprovalState } from 'passport-backup-code/approval';
import { accountOf } from '../login/guards';
import { inWords } from '../web/refusal-in-words';
import { leaveNotice, sendError, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { textField } from '../web/text-field';
import { type ActionName, ACTIONS, VAULT } from './vault';

type Parts = Pick<
  Services,
  'backupCodes' | 'guards' | 'limitSignIn' | 'notices' | 'users' | 'vault'
>;
type Refusal = Extract<ApprovalOutcome, { ok: false }>;

const LATEST = 10;
const MAX_TEXT = 1000;
const UNKNOWN = {
  status: 404,
  code: 'unknown_request',
  title: 'No such request',
  message: 'There is no such request, or not any more.',
};

export function vaultRoutes(parts: Parts): Router {
  const { guards, limitSignIn, notices, users, vault } = parts;
  const router = Router();

  router.get('/vault', ...guards.admin, async (req, res) => showVault(parts, { req, res }));

  router.post('/vault/text', ...guards.admin, ...guards.fresh, async (req, res) => {
    const text = textField(req, 'text').trim();
    if (text === '' || text.length > MAX_TEXT) {
      await showVault(
        parts,
        { req, res },
        { status: 400, errors: { text: `Between 1 and ${MAX_TEXT} characters, please.` } },
      );
      return;
    }
    await vault.put(text);
    await leaveNotice(req, 'It is in the vault. Nobody reads it alone, not even you.');
    res.redirect(303, '/vault');
  });

  router.post('/vault/requests', ...guards.admin, limitSignIn, async (req, res) => {
    const [action, username, reason] = [
      textField(req, 'action'),
      textField(req, 'username'),
      textField(req, 'reason').trim(),
    ];
    const errors: Record<string, string> = {};
    if (!isAction(action)) errors.action = 'Choose what is to be done.';
    const target =
      isAction(action) && ACTIONS[action].isAboutAccount
        ? ((await users.byName(username))?.id ?? null)
        : VAULT;
    if (target === null) errors.username = 'There is no account of this name.';
    if (target === VAULT && username !== '')
      errors.username =
        'What you chose is about no account: leave this empty, or choose something else.';
    if (reason === '' || reason.length > MAX_TEXT)
      errors.reason = 'Say why, for the other one and for the record.';
    if (!isAction(action) || target === null || Object.keys(errors).length > 0) {
      await showVault(
        parts,
        { req, res },
        { status: 400, errors, values: { action, username, reason } },
      );
      return;
    }
    const outcome = await vault.approval.request(
      accountOf(req).id,
      {
        action,
        target,
        parameters: { reason },
        code: textField(req, 'code'),
        sessionId: req.sessionID,
      },
      contextOf(req),
    );
    notices.poke();
    if (outcome.ok) res.redirect(303, `/vault/requests/${outcome.approval.id}`);
    else
      await showVault(
        parts,
        { req, res },
        { ...answerTo(outcome, res), values: { action, username, reason } },
      );
  });

  router.get('/vault/requests/:id', ...guards.admin, async (req, res) =>
    showRequest(parts, { req, res }),
  );

  router.post('/vault/requests/:id/approve', ...guards.admin, limitSignIn, async (req, res) => {
    const decision = {
      id: idOf(req),
      digest: textField(req, 'digest'),
      code: textField(req, 'code'),
      sessionId: req.sessionID,
    };
    await answer(
      parts,
      { req, res },
      {
        outcome: await vault.approval.approve(accountOf(req).id, decision, contextOf(req)),
        wanted: 'approved',
        notice: 'Approved. Either of you can run it now, until its time is over.',
      },
    );
  });

  router.post('/vault/requests/:id/deny', ...guards.admin, async (req, res) => {
    await answer(
      parts,
      { req, res },
      {
        outcome: await vault.approval.deny(accountOf(req).id, { id: idOf(req) }, contextOf(req)),
        wanted: 'denied',
        notice: 'Denied, for good.',
      },
    );
  });

  router.post('/vault/requests/:id/cancel', ...guards.admin, async (req, res) => {
    await answer(
      parts,
      { req, res },
      {
        outcome: await vault.approval.cancel(accountOf(req).id, { id: idOf(req) }, contextOf(req)),
        wanted: 'cancelled',
        notice: 'Withdrawn, for good.',
      },
    );
  });

  router.post('/vault/requests/:id/execute', ...guards.admin, async (req, res) => {
    const outcome = await vault.approval.execute(
      accountOf(req).id,
      { id: idOf(req), digest: textField(req, 'digest') },
      contextOf(req),
    );
    if (outcome.ok && typeof outcome.result === 'string')
      sendPage(
        'vault-opened',
        { req, res },
        { title: 'In the vault', data: { text: outcome.result } },
      );
    else await answer(parts, { req, res }, { outcome, wanted: 'executed', notice: 'Done.' });
  });

  return router;
}

async function answer(
  parts: Parts,
  { req, res }: { req: Request; res: Response },
  { outcome, wanted, notice }: { outcome: ApprovalOutcome; wanted: ApprovalState; notice: string },
): Promise<void> {
  parts.notices.poke();
  // Clicked once more, after the first was answered: it is as they wanted it.
  if (
    !outcome.ok &&
    outcome.reason === 'not_open' &&
    (await parts.vault.approval.show(idOf(req)))?.state === wanted
  ) {
    res.redirect(303, `/vault/requests/${idOf(req)}`);
    return;
  }
  if (!outcome.ok) {
    await showRequest(parts, { req, res }, answerTo(outcome, res));
    return;
  }
  await leaveNotice(req, notice);
  res.redirect(303, `/vault/requests/${outcome.approval.id}`);
}

async function showVault(
  { backupCodes, users, vault }: Parts,
  { req, res }: { req: Request; res: Response },
  page: { status?: number; errors?: Record<string, string>; values?: Record<string, string> } = {},
): Promise<void> {
  const { events } = await backupCodes.audit.events({
    types: ['approval_requested'],
    order: 'newest-first',
    limit: LATEST,
  });
  const approvals = await Promise.all(
    events.map(({ details }) => vault.approval.show(String(details?.['approval_id'] ?? ''))),
  );
  const requests = await Promise.all(
    approvals.flatMap((approval) => (approval === null ? [] : [inFull(users, approval)])),
  );
  sendPage(
    'vault',
    { req, res },
    {
      title: 'Vault',
      ...page,
      data: { requests, actions: ACTIONS, filledAt: await vault.filledAt() },
    },
  );
}

async function showRequest(
  { users, vault }: Parts,
  { req, res }: { req: Request; res: Response },
  page: { status?: number; errors?: Record<string, string> } = {},
): Promise<void> {
  const approval = await vault.approval.show(idOf(req));
  if (approval === null) sendError({ req, res }, UNKNOWN);
  else
    sendPage(
      'vault-request',
      { req, res },
      {
        title: 'A request',
        ...page,
        data: {
          request: await inFull(users, approval),
          isMine: approval.requestedBy === accountOf(req).id,
          isSecond: approval.approvedBy === accountOf(req).id,
        },
      },
    );
}

/** With names in the place of ids. */
async function inFull(users: Parts['users'], approval: Approval): Promise<object> {
  const nameOf = async (id: string | null): Promise<string | null> =>
    id === null ? null : ((await users.byId(id))?.username ?? 'deleted');
  const { reason } = approval.parameters as { readonly reason?: unknown };
  return {
    ...approval,
    what: isAction(approval.action) ? ACTIONS[approval.action].label : approval.action,
    about: approval.target === VAULT ? null : await nameOf(approval.target),
    reason: typeof reason === 'string' ? reason : '',
    requestedBy: await nameOf(approval.requestedBy),
    approvedBy: await nameOf(approval.approvedBy),
  };
}

/** Of a code no more is said than at a login. */
function answerTo(
  { reason, retryAfterSeconds }: Refusal,
  res: Response,
): { status: number; errors: Record<string, string> } {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  const [status, message, field] = ANSWERS[reason];
  return { status, errors: { [field ?? 'form']: inWords({ message, retryAfterSeconds }) } };
}

/** In the words of the strategy, so that people know them. */
const WRONG_CODE = [401, 'That backup code is not valid. Please try another one.', 'code'] as const;
const ANSWERS: Readonly<
  Record<Refusal['reason'], readonly [status: number, message: string, field?: 'code']>
> = {
  malformed: [400, 'That does not look like a backup code. Please check it and try again.', 'code'],
  mismatch: WRONG_CODE,
  reused: WRONG_CODE,
  expired: WRONG_CODE,
  none: WRONG_CODE,
  unknown_user: WRONG_CODE,
  throttled: [429, 'Too many attempts. Please wait before you try again.', 'code'],
  locked: [
    429,
    'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.',
    'code',
  ],
  denied: [403, 'A backup code is not accepted here now.', 'code'],
  step_up: [403, 'Log in from here with another factor first. The code was not used up.', 'code'],
  busy: [503, 'The service is busy. Please try again in a few seconds.', 'code'],
  unknown_request: [404, 'There is no such request, or not any more.'],
  unknown_action: [409, 'This server cannot do that. The request stays approved: try again later.'],
  open_request: [409, 'There is an open request about this already. No code was used up.'],
  not_open: [409, 'This request is not open for that, or not any more.'],
  late: [409, 'The time of this request is over. Ask again.'],
  changed: [409, 'What you were shown is not what would be done. No code was used up.'],
  same_person: [403, 'It takes somebody else to approve what you asked for. No code was used up.'],
  is_target: [403, 'Nobody decides about their own account. No code was used up.'],
  not_entitled: [403, 'This is not for you to decide. No code was used up.'],
};

function isAction(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name);
}

function idOf(req: Request): string {
  const { id } = req.params;
  return typeof id === 'string' ? id : '';
}

function contextOf(req: Request): { ip: string | undefined; userAgent: string | undefined } {
  return { ip: req.ip, userAgent: req.get('user-agent') };
}
