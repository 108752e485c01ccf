import type { AuditEvent, AuditEventType } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { toEcs, type EcsEvent } from '../../lib/siem';
import { CONTEXT } from './events';
import { appId } from './schemas';

const facts = {
  at: Date.UTC(2026, 10, 21),
  userId: 'ada',
  setId: 's1',
  context: cleanContext(CONTEXT),
};
const map = (type: AuditEventType, others: Partial<AuditEvent> = {}): EcsEvent =>
  toEcs(auditEvent(type, { ...facts, ...others }), { appId });

describe('toEcs', () => {
  it('toEcs maps an event to a document', () => {
    expect(
      toEcs(
        {
          ...auditEvent('consumed', { ...facts, codeId: 'c1', remaining: 7, total: 10 }),
          id: 'e1',
        },
        { appId },
      ),
    ).toEqual({
      '@timestamp': '2026-11-21T00:00:00.000Z',
      ecs: { version: '8.17.0' },
      message: 'A backup code was accepted.',
      event: {
        id: 'e1',
        kind: 'event',
        category: ['authentication'],
        type: ['start'],
        action: 'backup-code-consumed',
        outcome: 'success',
        provider: 'passport-backup-code',
        module: 'passport_backup_code',
        dataset: 'passport_backup_code.audit',
      },
      service: { name: 'shop.login' },
      labels: {
        channel: 'second_factor',
        set_id: 's1',
        code_id: 'c1',
        remaining: '7',
        total: '10',
      },
      user: { id: 'ada' },
      source: { address: '192.0.2.7', ip: '192.0.2.7' },
      user_agent: { original: 'Firefox/140.0' },
      http: { request: { id: 'r-1' } },
      related: { user: ['ada'], ip: ['192.0.2.7'] },
    });
  });

  it.each<[AuditEventType, string, string[], EcsEvent['event']['outcome']]>([
    ['issued', 'iam', ['user', 'change'], 'success'],
    ['staged', 'iam', ['user', 'change'], 'success'],
    ['activated', 'iam', ['user', 'change'], 'success'],
    ['consumed', 'authentication', ['start'], 'success'],
    ['rejected', 'authentication', ['start'], 'failure'],
    ['throttled', 'authentication', ['start'], 'failure'],
    ['locked', 'iam', ['user', 'change'], 'success'],
    ['revoked', 'iam', ['user', 'change'], 'success'],
    ['low', 'iam', ['user', 'info'], undefined],
    ['exhausted', 'iam', ['user', 'info'], undefined],
    ['renewed', 'iam', ['user', 'change'], 'success'],
    ['expiring', 'iam', ['user', 'info'], undefined],
    ['expired', 'iam', ['user', 'info'], undefined],
    ['step_up_required', 'authentication', ['start'], 'failure'],
    ['login_unfinished', 'authentication', ['start'], 'failure'],
    ['login_resumed', 'authentication', ['start'], 'success'],
    ['approval_requested', 'iam', ['user', 'change'], 'success'],
    ['approval_granted', 'iam', ['user', 'change'], 'success'],
    ['approval_denied', 'iam', ['user', 'change'], 'success'],
    ['approval_cancelled', 'iam', ['user', 'change'], 'success'],
    ['approval_expired', 'iam', ['user', 'info'], undefined],
    ['approval_executing', 'iam', ['user', 'info'], undefined],
    ['approval_executed', 'iam', ['user', 'change'], 'success'],
    ['approval_failed', 'iam', ['user', 'change'], 'failure'],
    ['approval_refused', 'iam', ['user', 'change'], 'failure'],
  ])('toEcs maps %s to the category %s, types %j, outcome %s', (type, category, types, outcome) => {
    const { event } = map(type);
    expect([event.category, event.type, event.outcome, event.action]).toEqual([
      [category],
      types,
      outcome,
      `backup-code-${type}`,
    ]);
  });

  it('toEcs gives the reason why a code was rejected', () => {
    expect(map('rejected', { reason: 'mismatch' })).toMatchObject({
      event: { reason: 'mismatch' },
      message: 'A backup code was rejected. No code of the set matches.',
    });
  });

  it('toEcs gives the action and target of an approval, and the reason for a refusal', () => {
    const details = {
      approval_id: 'r-7',
      action: 'open-vault',
      target: 'vault-7\r\n',
      digest: 'd1',
      parameters_digest: 'p1',
      reason: 'same_person',
    } as const;
    expect(map('approval_refused', { details })).toMatchObject({
      event: { reason: 'same_person' },
      labels: {
        approval_id: 'r-7',
        approval_action: 'open-vault',
        approval_target: 'vault-7%0D%0A',
        approval_digest: 'd1',
        approval_parameters_digest: 'p1',
      },
    });
  });

  it('toEcs puts the acting user first, and the owner as the target', () => {
    expect(map('revoked', { context: cleanContext({ actor: 'admin-7' }) })).toMatchObject({
      user: { id: 'admin-7', target: { id: 'ada' } },
      related: { user: ['ada', 'admin-7'] },
    });
  });

  it('toEcs has no user for a user name that no user has', () => {
    const { user, related } = map('rejected', { userId: null, reason: 'unknown_user' });
    expect([user, related]).toEqual([undefined, { ip: ['192.0.2.7'] }]);
  });

  it('toEcs puts only IP addresses into the fields for IP addresses', () => {
    const { source, related } = map('consumed', { context: cleanContext({ ip: 'fe80::1%eth0' }) });
    expect([source, related]).toEqual([{ address: 'fe80::1%eth0' }, { user: ['ada'] }]);
  });

  it.each(['app_phone_changed', 'a_type_of_a_later_version', 'constructor'])(
    'toEcs puts the type %s, which the vocabulary does not know, into the category configuration',
    (type) => {
      const { event, message } = map(type);
      expect(event).toMatchObject({ category: ['configuration'], type: ['info'], action: type });
      expect(event.outcome).toBeUndefined();
      expect(message).toBe(`An event of type "${type}" was recorded.`);
    },
  );

  it('toEcs gives the details of an event of your own as labels', () => {
    const details = { changedBy: 'support\n', 'Old number': '+49', times: 3, ok: true, none: null };
    expect(map('app_phone_changed', { details }).labels).toEqual({
      channel: 'second_factor',
      set_id: 's1',
      detail_changed_by: 'support%0A',
      detail_old_number: '+49',
      detail_times: '3',
      detail_ok: 'true',
    });
  });
});
