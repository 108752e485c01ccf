// The shape of an event in the Open Cybersecurity Schema Framework 1.9.0, as far as this package
// fills it in. https://schema.ocsf.io/1.9.0
import type { AuditEventType } from '../audit/events';
import type { UnmappedFields } from './event-description';

/** The severities in use, by their caption in the schema. */
export type OcsfSeverity = 'Informational' | 'Low' | 'Medium' | 'High';

/** An event of class 3002 or 3007. */
export interface OcsfEvent {
  readonly category_uid: 3;
  readonly category_name: 'Identity & Access Management';
  readonly class_uid: 3002 | 3007;
  readonly class_name: 'Authentication' | 'User Management';
  readonly activity_id: number;
  readonly activity_name: string;
  /** `class_uid` × 100 + `activity_id`. */
  readonly type_uid: number;
  readonly severity_id: number;
  readonly severity: OcsfSeverity;
  /** Milliseconds since 1970, UTC. */
  readonly time: number;
  readonly message: string;
  readonly metadata: {
    readonly version: '1.9.0';
    readonly product: { readonly name: string; readonly vendor_name: string };
    /** The id of the audit event. An event that is sent twice has the same id twice. */
    readonly uid: string;
    readonly event_code: AuditEventType;
    /** Your app. */
    readonly log_source: string;
    /** The namespace of the event. */
    readonly tenant_uid?: string;
  };
  readonly user:
    | { readonly uid: string }
    | { readonly name: 'Unknown'; readonly type_id: 0; readonly type: 'Unknown' };
  /** Left out of an event of your own. */
  readonly auth_factors?: readonly [
    { readonly factor_type_id: 99; readonly factor_type: 'Backup code' },
  ];
  readonly status_id?: 1 | 2;
  readonly status?: 'Success' | 'Failure';
  /** The reason, as one word. */
  readonly status_code?: string;
  /** The reason, as a sentence. */
  readonly status_detail?: string;
  readonly count?: number;
  readonly actor?: { readonly user: { readonly uid: string } };
  readonly src_endpoint?: { readonly ip: string } | { readonly name: string };
  readonly http_request?: { readonly user_agent?: string; readonly uid?: string };
  readonly observables?: readonly {
    readonly name: string;
    readonly type_id: number;
    readonly value: string;
  }[];
  /** With class 3002. */
  readonly service?: { readonly name: string };
  /** With class 3002: true on the `second_factor` channel. */
  readonly is_mfa?: boolean;
  readonly unmapped?: UnmappedFields;
}
