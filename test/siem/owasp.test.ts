import type { AuditEvent, AuditEventType, Reason } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { toOwasp } from '../../lib/siem';
import { CONTEXT } from './events';
import { appId } from './schemas';

const facts = {
  at: Date.UTC(2026, 10, 21),
  userId: 'ada',
  setId: 's1',
  codeId: 'c1',
  context: cleanContext(CONTEXT),
};
const details = {
  approval_id: 'r-7',
  action: 'open-vault',
  target: 'vault-7',
  reason: null,
} as const;
const eventAndLevel = (
  type: AuditEventType,
  others: Partial<AuditEvent> = {},
): [string, string] => {
  const { event, level } = toOwasp(auditEvent(type, { ...facts, ...others }), { appId });
  return [event, level];
};
const rejected = (reason: Reason, others: Partial<AuditEvent> = {}): [string, string] =>
  eventAndLevel('rejected', { reason, ...others });

describe('toOwasp', () => {
  it('toOwasp gives the fields of the cheat sheet and leaves out the ones without a value', () => {
    expect(toOwasp(auditEvent('rejected', { ...facts, reason: 'mismatch' }), { appId })).toEqual({
      datetime: '2026-11-21T00:00:00.000+00:00',
      appid: 'shop.login',
      event: 'authn_login_fail:ada',
      level: 'WARN',
      description: 'A backup code was rejected. No code of the set matches.',
      useragent: 'Firefox/140.0',
      source_ip: '192.0.2.7',
    });
    expect(
      Object.keys(
        toOwasp(auditEvent('rejected', { ...facts, context: cleanContext() }), { appId }),
      ),
    ).toEqual(['datetime', 'appid', 'event', 'level', 'description']);
  });

  it.each<[AuditEventType, string, string]>([
    ['issued', 'authn_token_created:ada,backup_codes', 'INFO'],
    ['staged', 'user_updated:ada,ada,backup_codes:staged', 'WARN'],
    ['activated', 'authn_token_created:ada,backup_codes', 'INFO'],
    ['consumed', 'authn_login_success:ada', 'INFO'],
    ['throttled', 'authn_login_fail_max:ada', 'WARN'],
    ['locked', 'authn_login_lock:ada,maxretries', 'WARN'],
    ['revoked', 'authn_token_revoked:ada,s1', 'INFO'],
    ['low', 'user_updated:ada,ada,backup_codes:low', 'WARN'],
    ['exhausted', 'user_updated:ada,ada,backup_codes:exhausted', 'WARN'],
    ['renewed', 'authn_token_created:ada,backup_codes', 'INFO'],
    ['expiring', 'user_updated:ada,ada,backup_codes:expiring', 'WARN'],
    ['expired', 'authn_token_revoked:ada,s1', 'INFO'],
    ['step_up_required', 'authn_login_fail:ada', 'WARN'],
    ['login_unfinished', 'authn_login_fail:ada', 'WARN'],
    ['login_resumed', 'authn_login_success:ada', 'INFO'],
    ...[
      'requested',
      'granted',
      'denied',
      'cancelled',
      'expired',
      'executing',
      'executed',
      'failed',
    ].map((step): [AuditEventType, string, string] => [
      `approval_${step}`,
      `authz_admin:ada,approval_${step}:open-vault:vault-7`,
      'WARN',
    ]),
    ['approval_refused', 'authz_fail:ada,open-vault:vault-7', 'CRITICAL'],
  ])('toOwasp maps %s to %s, at level %s', (type, event, level) => {
    expect(eventAndLevel(type, { details })).toEqual([event, level]);
  });

  it.each<[Reason, string, string]>([
    ['malformed', 'input_validation_fail:(code),ada', 'WARN'],
    ['mismatch', 'authn_login_fail:ada', 'WARN'],
    ['reused', 'authn_token_reuse:ada,c1', 'CRITICAL'],
    ['expired', 'authn_login_fail:ada', 'WARN'],
    ['none', 'authn_login_fail:ada', 'WARN'],
    ['denied', 'authn_login_fail:ada', 'WARN'],
    ['busy', 'excess_rate_limit_exceeded:ada', 'WARN'],
  ])('toOwasp maps a rejection with the reason %s to %s, at level %s', (reason, event, level) => {
    expect(rejected(reason)).toEqual([event, level]);
  });

  it('toOwasp treats a used code as a double click for two seconds, then as reuse', () => {
    expect(rejected('reused', { consumedSecondsAgo: 2 })).toEqual(['authn_login_fail:ada', 'WARN']);
    expect(rejected('reused', { consumedSecondsAgo: 3 })).toEqual([
      'authn_token_reuse:ada,c1',
      'CRITICAL',
    ]);
  });

  it('toOwasp names the acting user and the owner if an administrator changed the set', () => {
    const context = cleanContext({ ...CONTEXT, actor: 'admin-7' });
    for (const type of ['issued', 'activated', 'revoked'] as const)
      expect(eventAndLevel(type, { context })).toEqual([
        `user_updated:admin-7,ada,backup_codes:${type}`,
        'WARN',
      ]);
    expect(rejected('reused', { context })).toEqual(['authn_token_reuse:ada,c1', 'CRITICAL']);
  });

  it('toOwasp leaves the place of the user empty for an unknown user name', () => {
    expect(rejected('unknown_user', { userId: null })).toEqual(['authn_login_fail', 'WARN']);
    expect(eventAndLevel('locked', { userId: null })).toEqual([
      'authn_login_lock:,maxretries',
      'WARN',
    ]);
    expect(rejected('malformed', { userId: null })).toEqual([
      'input_validation_fail:(code)',
      'WARN',
    ]);
  });

  it('toOwasp lets no user id add a parameter or a line', () => {
    expect(
      eventAndLevel('approval_refused', { details: { ...details, target: 'a,b\r\n' } })[0],
    ).toBe('authz_fail:ada,open-vault:a%2Cb%0D%0A');
    expect(
      eventAndLevel('locked', { userId: 'a,suspicious\r\nauthn_login_success:eve\u2028' }),
    ).toEqual([
      'authn_login_lock:a%2Csuspicious%0D%0Aauthn_login_success:eve%E2%80%A8,maxretries',
      'WARN',
    ]);
    expect(eventAndLevel('consumed', { userId: 'acct:ada@example.org:' })[0]).toBe(
      'authn_login_success:acct:ada@example.org:',
    );
  });

  it.each([
    ['app_phone_changed', 'user_updated:ada,ada,app_phone_changed'],
    ['a_type_of_a_later_version', 'user_updated:ada,ada,a_type_of_a_later_version'],
    ['constructor', 'user_updated:ada,ada,constructor'],
    ['app,x\r\n', 'user_updated:ada,ada,app%2Cx%0D%0A'],
  ])(
    'toOwasp maps the type %j, which the vocabulary does not know, to user_updated',
    (type, event) => {
      expect(eventAndLevel(type, { details: { by: 'support' } })).toEqual([event, 'WARN']);
    },
  );

  it('toOwasp names the acting user of an event of your own', () => {
    const context = cleanContext({ actor: 'admin-7' });
    expect(eventAndLevel('app_phone_changed', { context })[0]).toBe(
      'user_updated:admin-7,ada,app_phone_changed',
    );
  });
});
