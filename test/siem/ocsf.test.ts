import fc from 'fast-check';
import type { AuditEvent, AuditEventType, Reason } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { EVENT_TYPES, toOcsf, type OcsfEvent } from '../../lib/siem';
import { anyEvents, CONTEXT } from './events';
import { appId } from './schemas';

const at = Date.UTC(2026, 10, 21);
const facts = { at, userId: 'ada', setId: 's1', context: cleanContext(CONTEXT) };
const map = (type: AuditEventType, others: Partial<AuditEvent> = {}): OcsfEvent =>
  toOcsf(auditEvent(type, { ...facts, ...others }), { appId });

describe('toOcsf', () => {
  it('toOcsf maps an attempt to an Authentication event', () => {
    expect(
      toOcsf(
        {
          ...auditEvent('rejected', {
            ...facts,
            reason: 'reused',
            codeId: 'c1',
            consumedSecondsAgo: 90,
          }),
          id: 'e1',
        },
        { appId },
      ),
    ).toEqual({
      category_uid: 3,
      category_name: 'Identity & Access Management',
      class_uid: 3002,
      class_name: 'Authentication',
      activity_id: 1,
      activity_name: 'Logon',
      type_uid: 300_201,
      severity_id: 3,
      severity: 'Medium',
      status_id: 2,
      status: 'Failure',
      status_code: 'reused',
      status_detail: 'The code was consumed before.',
      time: at,
      message: 'A backup code was rejected. The code was consumed before.',
      metadata: {
        version: '1.9.0',
        product: { name: 'passport-backup-code', vendor_name: 'passport-backup-code' },
        uid: 'e1',
        event_code: 'rejected',
        log_source: 'shop.login',
      },
      user: { uid: 'ada' },
      service: { name: 'shop.login' },
      is_mfa: true,
      auth_factors: [{ factor_type_id: 99, factor_type: 'Backup code' }],
      src_endpoint: { ip: '192.0.2.7' },
      http_request: { user_agent: 'Firefox/140.0', uid: 'r-1' },
      observables: [
        { name: 'user.uid', type_id: 31, value: 'ada' },
        { name: 'src_endpoint.ip', type_id: 2, value: '192.0.2.7' },
      ],
      unmapped: { set_id: 's1', code_id: 'c1', consumed_seconds_ago: 90 },
    });
  });

  it('toOcsf maps a change to a User Management event, with the acting user', () => {
    expect(
      toOcsf(
        {
          ...auditEvent('revoked', {
            at,
            userId: 'ada',
            setId: 's1',
            context: cleanContext({ actor: 'admin-7' }),
          }),
          id: 'e1',
        },
        { appId },
      ),
    ).toEqual({
      category_uid: 3,
      category_name: 'Identity & Access Management',
      class_uid: 3007,
      class_name: 'User Management',
      activity_id: 13,
      activity_name: 'Disable MFA Factors',
      type_uid: 300_713,
      severity_id: 2,
      severity: 'Low',
      status_id: 1,
      status: 'Success',
      time: at,
      message: 'The set of backup codes was revoked.',
      metadata: {
        version: '1.9.0',
        product: { name: 'passport-backup-code', vendor_name: 'passport-backup-code' },
        uid: 'e1',
        event_code: 'revoked',
        log_source: 'shop.login',
      },
      user: { uid: 'ada' },
      actor: { user: { uid: 'admin-7' } },
      auth_factors: [{ factor_type_id: 99, factor_type: 'Backup code' }],
      observables: [{ name: 'user.uid', type_id: 31, value: 'ada' }],
      unmapped: { set_id: 's1' },
    });
  });

  it.each<[AuditEventType, number, string, OcsfEvent['severity'], OcsfEvent['status']]>([
    ['issued', 300_712, 'Enable MFA Factors', 'Informational', 'Success'],
    ['staged', 300_799, 'Staged', 'Informational', 'Success'],
    ['activated', 300_712, 'Enable MFA Factors', 'Informational', 'Success'],
    ['consumed', 300_201, 'Logon', 'Informational', 'Success'],
    ['throttled', 300_201, 'Logon', 'Medium', 'Failure'],
    ['locked', 300_706, 'Lock', 'High', 'Success'],
    ['revoked', 300_713, 'Disable MFA Factors', 'Low', 'Success'],
    ['low', 300_799, 'Low', 'Low', undefined],
    ['exhausted', 300_799, 'Exhausted', 'Low', undefined],
    ['renewed', 300_799, 'Renewed', 'Informational', 'Success'],
    ['expiring', 300_799, 'Expiring', 'Low', undefined],
    ['expired', 300_799, 'Expired', 'Low', undefined],
    ['step_up_required', 300_201, 'Logon', 'Medium', 'Failure'],
    ['login_unfinished', 300_201, 'Logon', 'Medium', 'Failure'],
    ['login_resumed', 300_201, 'Logon', 'Low', 'Success'],
    ['approval_requested', 300_799, 'Approval Requested', 'Low', 'Success'],
    ['approval_granted', 300_799, 'Approval Granted', 'Low', 'Success'],
    ['approval_denied', 300_799, 'Approval Denied', 'Medium', 'Success'],
    ['approval_cancelled', 300_799, 'Approval Cancelled', 'Informational', 'Success'],
    ['approval_expired', 300_799, 'Approval Expired', 'Informational', undefined],
    ['approval_executing', 300_799, 'Approval Executing', 'Low', undefined],
    ['approval_executed', 300_799, 'Approval Executed', 'Low', 'Success'],
    ['approval_failed', 300_799, 'Approval Failed', 'Medium', 'Failure'],
    ['approval_refused', 300_799, 'Approval Refused', 'Medium', 'Failure'],
  ])(
    'toOcsf gives %s the type %i (%s), the severity %s and the status %s',
    (type, typeUid, activity, severity, status) => {
      const mapped = map(type);
      expect([mapped.type_uid, mapped.activity_name, mapped.severity, mapped.status]).toEqual([
        typeUid,
        activity,
        severity,
        status,
      ]);
    },
  );

  it.each<[Reason, OcsfEvent['severity']]>([
    ['malformed', 'Informational'],
    ['mismatch', 'Low'],
    ['reused', 'Medium'],
    ['expired', 'Low'],
    ['none', 'Low'],
    ['unknown_user', 'Low'],
    ['denied', 'Medium'],
    ['busy', 'Medium'],
  ])(
    'toOcsf gives a rejection with the reason %s the severity %s, and the reason as status_code',
    (reason, severity) => {
      expect(map('rejected', { reason })).toMatchObject({
        severity,
        status_code: reason,
        type_uid: 300_201,
      });
    },
  );

  it('toOcsf gives the action and target of an approval, and the reason for a refusal', () => {
    const details = {
      approval_id: 'r-7',
      action: 'open-vault',
      target: 'vault-7\r\n',
      digest: 'd1',
      parameters_digest: 'p1',
      reason: 'same_person',
    } as const;
    expect(map('approval_refused', { details })).toMatchObject({
      status_code: 'same_person',
      status_detail: 'The person who made the request cannot approve it.',
      unmapped: {
        approval_id: 'r-7',
        approval_action: 'open-vault',
        approval_target: 'vault-7%0D%0A',
        approval_digest: 'd1',
        approval_parameters_digest: 'p1',
      },
    });
  });

  it('toOcsf treats a used code that is sent again within two seconds as a double click', () => {
    expect(map('rejected', { reason: 'reused', consumedSecondsAgo: 2 }).severity).toBe('Low');
  });

  it('toOcsf gives the type_uid class_uid × 100 + activity_id', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EVENT_TYPES).chain(anyEvents), (events) => {
        for (const event of events) {
          const {
            type_uid: typeUid,
            class_uid: classUid,
            activity_id: activityId,
          } = toOcsf(event, { appId });
          expect(typeUid).toBe(classUid * 100 + activityId);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('toOcsf sets is_mfa to false on the recovery channel', () => {
    expect(map('consumed', { context: cleanContext({ channel: 'recovery' }) }).is_mfa).toBe(false);
  });

  it('toOcsf counts the refusals that a throttled event stands for', () => {
    expect(map('throttled', { reason: 'throttled', refusals: 12 }).count).toBe(12);
  });

  it('toOcsf gives the user Unknown and no observable for an unknown user name', () => {
    expect(map('rejected', { userId: null, reason: 'unknown_user' })).toMatchObject({
      user: { name: 'Unknown', type_id: 0, type: 'Unknown' },
      observables: [{ name: 'src_endpoint.ip' }],
    });
  });

  it('toOcsf puts an address that is not an IP address into the name', () => {
    for (const ip of [
      'unknown',
      'fe80::1%eth0',
      '192.0.2.7:443',
      '0000:0000:0000:0000:0000:ffff:192.168.100.228',
    ]) {
      expect(map('consumed', { context: cleanContext({ ip }) })).toMatchObject({
        src_endpoint: { name: ip },
        observables: [{ name: 'user.uid' }],
      });
    }
  });

  it.each([
    ['app_phone_changed', 'App Phone Changed'],
    ['a_type_of_a_later_version', 'A Type Of A Later Version'],
    ['constructor', 'Constructor'],
    ['_', 'Other'],
  ])(
    'toOcsf maps the type %s, which it does not know, to the activity Other named "%s"',
    (type, name) => {
      const { activity_id, activity_name, type_uid, severity, status, auth_factors, metadata } =
        map(type);
      expect({ activity_id, activity_name, type_uid, severity, status, auth_factors }).toEqual({
        activity_id: 99,
        activity_name: name,
        type_uid: 300_799,
        severity: 'Informational',
      });
      expect(metadata.event_code).toBe(type);
    },
  );

  it('toOcsf gives the details of an event of your own as unmapped fields', () => {
    const details = { changedBy: 'support\n', times: 3, ok: true, none: null };
    expect(map('app_phone_changed', { details }).unmapped).toEqual({
      set_id: 's1',
      detail_changed_by: 'support%0A',
      detail_times: 3,
      detail_ok: true,
    });
  });
});
