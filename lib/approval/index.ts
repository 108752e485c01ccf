// What `import 'passport-backup-code/approval'` gives: actions that take two people. The stores for SQL and Redis are with those.
export { APPROVAL_EVENT_TYPES } from './approval-events';
export type { ApprovalDetails, ApprovalEventType, ApprovalReason } from './approval-events';
export { MemoryApprovalStore } from './memory-store';
export { TwoPersonApproval } from './two-person';
export type { Approval, Proposal } from './proposal';
export type { People } from './rules';
export type { ApprovalRecord, ApprovalState, ApprovalStore, Updated } from './store';
export type { ApprovalOutcome, Decision, TwoPersonApprovalOptions } from './two-person';
