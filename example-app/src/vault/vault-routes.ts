// The pages for two-person actions. One administrator requests an action with a backup code.
// Another one, on a machine of their own, sees what it is about and approves it with a backup code,
// or denies it. Either of them then executes it. Links change nothing; every step is a form.
import { type Request, type Response, Router } from 'express';
import type { Approval, ApprovalOutcome, ApprovalState } from 'passport-backup-code/approval';
import { getAccount } from '../login/guards';
import { describeRefusal } from '../web/describe-refusal';
import { leaveNotice, sendError, sendPage } from '../web/responses';
import type { Services } from '../web/services';
import { readTextField } from '../web/read-text-field';
import { type ActionName, ACTIONS, VAULT } from './vault';

type VaultServices = Pick<
  Services,
  'backupCodes' | 'guards' | 'limitSignIn' | 'noticeLoop' | 'users' | 'vault'
>;
type Refusal = Extract<ApprovalOutcome, { ok: false }>;

const LATEST = 10;
const MAX_TEXT = 1000;
const UNKNOWN = {
  status: 404,
  code: 'unknown_request',
  title: 'No such request',
  message: 'There is no such request, or it has expired.',
};

export function vaultRoutes(services: VaultServices): Router {
  const { guards, limitSignIn, noticeLoop, users, vault } = services;
  const router = Router();

  router.get('/vault', ...guards.admin, async (req, res) => showVault(services, { req, res }));

  router.post('/vault/text', ...guards.admin, ...guards.fresh, async (req, res) => {
    const text = readTextField(req, 'text').trim();
    if (text === '' || text.length > MAX_TEXT) {
      await showVault(
        services,
        { req, res },
        { status: 400, errors: { text: `Enter between 1 and ${MAX_TEXT} characters.` } },
      );
      return;
    }
    await vault.put(text);
    await leaveNotice(
      req,
      'It is in the vault. Reading it takes two administrators, even for you.',
    );
    res.redirect(303, '/vault');
  });

  router.post('/vault/requests', ...guards.admin, limitSignIn, async (req, res) => {
    const [action, username, reason] = [
      readTextField(req, 'action'),
      readTextField(req, 'username'),
      readTextField(req, 'reason').trim(),
    ];
    const errors: Record<string, string> = {};
    if (!isAction(action)) errors.action = 'Choose an action.';
    const target =
      isAction(action) && ACTIONS[action].isAboutAccount
        ? ((await users.findByName(username))?.id ?? null)
        : VAULT;
    if (target === null) errors.username = 'There is no account with this name.';
    if (target === VAULT && username !== '')
      errors.username =
        'This action is not about an account: leave the name empty, or choose another action.';
    if (reason === '' || reason.length > MAX_TEXT)
      errors.reason = 'Give a reason, for the other administrator and for the record.';
    if (!isAction(action) || target === null || Object.keys(errors).length > 0) {
      await showVault(
        services,
        { req, res },
        { status: 400, errors, values: { action, username, reason } },
      );
      return;
    }
    const outcome = await vault.approval.request(
      getAccount(req).id,
      {
        action,
        target,
        parameters: { reason },
        code: readTextField(req, 'code'),
        sessionId: req.sessionID,
      },
      readContext(req),
    );
    noticeLoop.wake();
    if (outcome.ok) res.redirect(303, `/vault/requests/${outcome.approval.id}`);
    else
      await showVault(
        services,
        { req, res },
        { ...describeFailure(outcome, res), values: { action, username, reason } },
      );
  });

  router.get('/vault/requests/:id', ...guards.admin, async (req, res) =>
    showRequest(services, { req, res }),
  );

  router.post('/vault/requests/:id/approve', ...guards.admin, limitSignIn, async (req, res) => {
    const decision = {
      id: readId(req),
      digest: readTextField(req, 'digest'),
      code: readTextField(req, 'code'),
      sessionId: req.sessionID,
    };
    await finishStep(
      services,
      { req, res },
      {
        outcome: await vault.approval.approve(getAccount(req).id, decision, readContext(req)),
        goal: 'approved',
        notice: 'Approved. Either of you can run it now, until it expires.',
      },
    );
  });

  router.post('/vault/requests/:id/deny', ...guards.admin, async (req, res) => {
    await finishStep(
      services,
      { req, res },
      {
        outcome: await vault.approval.deny(
          getAccount(req).id,
          { id: readId(req) },
          readContext(req),
        ),
        goal: 'denied',
        notice: 'Denied. It cannot be reopened.',
      },
    );
  });

  router.post('/vault/requests/:id/cancel', ...guards.admin, async (req, res) => {
    await finishStep(
      services,
      { req, res },
      {
        outcome: await vault.approval.cancel(
          getAccount(req).id,
          { id: readId(req) },
          readContext(req),
        ),
        goal: 'cancelled',
        notice: 'Withdrawn. It cannot be reopened.',
      },
    );
  });

  router.post('/vault/requests/:id/execute', ...guards.admin, async (req, res) => {
    const outcome = await vault.approval.execute(
      getAccount(req).id,
      { id: readId(req), digest: readTextField(req, 'digest') },
      readContext(req),
    );
    if (outcome.ok && typeof outcome.result === 'string')
      sendPage(
        'vault-opened',
        { req, res },
        { title: 'In the vault', data: { text: outcome.result } },
      );
    else await finishStep(services, { req, res }, { outcome, goal: 'executed', notice: 'Done.' });
  });

  return router;
}

async function finishStep(
  services: VaultServices,
  { req, res }: { req: Request; res: Response },
  { outcome, goal, notice }: { outcome: ApprovalOutcome; goal: ApprovalState; notice: string },
): Promise<void> {
  services.noticeLoop.wake();
  // A second click, after the first was answered: the request is already in that state.
  if (
    !outcome.ok &&
    outcome.reason === 'not_open' &&
    (await services.vault.approval.show(readId(req)))?.state === goal
  ) {
    res.redirect(303, `/vault/requests/${readId(req)}`);
    return;
  }
  if (!outcome.ok) {
    await showRequest(services, { req, res }, describeFailure(outcome, res));
    return;
  }
  await leaveNotice(req, notice);
  res.redirect(303, `/vault/requests/${outcome.approval.id}`);
}

async function showVault(
  { backupCodes, users, vault }: VaultServices,
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
    approvals.flatMap((approval) => (approval === null ? [] : [describeApproval(users, approval)])),
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
  { users, vault }: VaultServices,
  { req, res }: { req: Request; res: Response },
  page: { status?: number; errors?: Record<string, string> } = {},
): Promise<void> {
  const approval = await vault.approval.show(readId(req));
  if (approval === null) sendError({ req, res }, UNKNOWN);
  else
    sendPage(
      'vault-request',
      { req, res },
      {
        title: 'A request',
        ...page,
        data: {
          request: await describeApproval(users, approval),
          isMine: approval.requestedBy === getAccount(req).id,
          isSecond: approval.approvedBy === getAccount(req).id,
        },
      },
    );
}

/** Replaces user ids with names. */
async function describeApproval(
  users: VaultServices['users'],
  approval: Approval,
): Promise<object> {
  const nameOf = async (id: string | null): Promise<string | null> =>
    id === null ? null : ((await users.findById(id))?.username ?? 'deleted');
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

/** Says no more about an invalid code than a login does. */
function describeFailure(
  { reason, retryAfterSeconds }: Refusal,
  res: Response,
): { status: number; errors: Record<string, string> } {
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  const [status, message, field] = ANSWERS[reason];
  return { status, errors: { [field ?? 'form']: describeRefusal({ message, retryAfterSeconds }) } };
}

/** The same sentences as the strategy, which users already know. */
const INVALID_CODE = [
  401,
  'That backup code is not valid. Please try another one.',
  'code',
] as const;
const ANSWERS: Readonly<
  Record<Refusal['reason'], readonly [status: number, message: string, field?: 'code']>
> = {
  malformed: [
    400,
    'That does not look like a backup code. Please enter one code and try again.',
    'code',
  ],
  mismatch: INVALID_CODE,
  reused: INVALID_CODE,
  expired: INVALID_CODE,
  none: INVALID_CODE,
  unknown_user: INVALID_CODE,
  throttled: [429, 'Too many attempts. Please wait before you try again.', 'code'],
  locked: [
    429,
    'Too many attempts: these backup codes no longer work. Sign in another way and make new ones.',
    'code',
  ],
  denied: [403, 'A backup code is not accepted here now.', 'code'],
  step_up: [403, 'Log in from here with another factor first. The code was not used up.', 'code'],
  busy: [503, 'The service is busy. Please try again in a few seconds.', 'code'],
  unknown_request: [404, 'There is no such request, or it has expired.'],
  unknown_action: [409, 'This server cannot do that. The request stays approved: try again later.'],
  open_request: [409, 'There is already an open request for this. No code was used up.'],
  not_open: [409, 'This request is no longer open for this step.'],
  late: [409, 'This request has expired. Ask again.'],
  changed: [409, 'The request has changed since you opened it. No code was used up.'],
  same_person: [403, 'Another administrator must approve your request. No code was used up.'],
  is_target: [403, 'You cannot decide about your own account. No code was used up.'],
  not_entitled: [403, 'You are not allowed to decide this. No code was used up.'],
};

function isAction(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name);
}

function readId(req: Request): string {
  const { id } = req.params;
  return typeof id === 'string' ? id : '';
}

function readContext(req: Request): { ip: string | undefined; userAgent: string | undefined } {
  return { ip: req.ip, userAgent: req.get('user-agent') };
}
