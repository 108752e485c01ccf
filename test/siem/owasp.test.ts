import type { AuditEvent, EventType, Reason } from '../../lib';
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
const approval = { id: 'r-7', action: 'open-vault', target: 'vault-7', reason: null } as const;
const say = (type: EventType, others: Partial<AuditEvent> = {}): [string, string] => {
  const { event, level } = toOwasp(auditEvent(type, { ...facts, ...others }), { appId });
  return [event, level];
};
const rejected = (reason: Reason, others: Partial<AuditEvent> = {}): [string, string] =>
  say('rejected', { reason, ...others });

describe('toOwasp', () => {
  it('gives the fields of the cheat sheet that are known', () => {
    expect(toOwasp(auditEvent('rejected', { ...facts, reason: 'mismatch' }), { appId })).toEqual({
      datetime: '2026-11-21T00:00:00.000+00:00',
      appid: 'shop.login',
      event: 'authn_login_fail:ada',
      level: 'WARN',
      description: 'A backup code was not accepted. It is none of the set.',
      useragent: 'Firefox/140.0',
      source_ip: '192.0.2.7',
    });
    expect(
      Object.keys(
        toOwasp(auditEvent('rejected', { ...facts, context: cleanContext() }), { appId }),
      ),
    ).toEqual(['datetime', 'appid', 'event', 'level', 'description']);
  });

  it.each<[EventType, string, string]>([
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
    ...[
      'requested',
      'granted',
      'denied',
      'cancelled',
      'expired',
      'executing',
      'executed',
      'failed',
    ].map((step): [EventType, string, string] => [
      `approval_${step}` as EventType,
      `authz_admin:ada,approval_${step}:open-vault:vault-7`,
      'WARN',
    ]),
    ['approval_refused', 'authz_fail:ada,open-vault:vault-7', 'CRITICAL'],
  ])('calls %s %s, at level %s', (type, event, level) => {
    expect(say(type, { approval })).toEqual([event, level]);
  });

  it.each<[Reason, string, string]>([
    ['malformed', 'input_validation_fail:(code),ada', 'WARN'],
    ['mismatch', 'authn_login_fail:ada', 'WARN'],
    ['reused', 'authn_token_reuse:ada,c1', 'CRITICAL'],
    ['expired', 'authn_login_fail:ada', 'WARN'],
    ['none', 'authn_login_fail:ada', 'WARN'],
    ['denied', 'authn_login_fail:ada', 'WARN'],
    ['busy', 'excess_rate_limit_exceeded:ada', 'WARN'],
  ])('calls a rejection as %s %s, at level %s', (reason, event, level) => {
    expect(rejected(reason)).toEqual([event, level]);
  });

  it('takes a spent code again within two seconds for a double click, and later for an alarm', () => {
    expect(rejected('reused', { consumedSecondsAgo: 2 })).toEqual(['authn_login_fail:ada', 'WARN']);
    expect(rejected('reused', { consumedSecondsAgo: 3 })).toEqual([
      'authn_token_reuse:ada,c1',
      'CRITICAL',
    ]);
  });

  it('names both people where somebody else changed the set', () => {
    const context = cleanContext({ ...CONTEXT, actor: 'admin-7' });
    for (const type of ['issued', 'activated', 'revoked'] as const)
      expect(say(type, { context })).toEqual([
        `user_updated:admin-7,ada,backup_codes:${type}`,
        'WARN',
      ]);
    expect(rejected('reused', { context })).toEqual(['authn_token_reuse:ada,c1', 'CRITICAL']);
  });

  it('leaves the user out where the name belongs to nobody, and what follows in its place', () => {
    expect(rejected('unknown_user', { userId: null })).toEqual(['authn_login_fail', 'WARN']);
    expect(say('locked', { userId: null })).toEqual(['authn_login_lock:,maxretries', 'WARN']);
    expect(rejected('malformed', { userId: null })).toEqual([
      'input_validation_fail:(code)',
      'WARN',
    ]);
  });

  it('lets no user id forge a parameter or a line', () => {
    expect(say('approval_refused', { approval: { ...approval, target: 'a,b\r\n' } })[0]).toBe(
      'authz_fail:ada,open-vault:a%2Cb%0D%0A',
    );
    expect(say('locked', { userId: 'a,suspicious\r\nauthn_login_success:eve\u2028' })).toEqual([
      'authn_login_lock:a%2Csuspicious%0D%0Aauthn_login_success:eve%E2%80%A8,maxretries',
      'WARN',
    ]);
    expect(say('consumed', { userId: 'acct:ada@example.org:' })[0]).toBe(
      'authn_login_success:acct:ada@example.org:',
    );
  });
});
