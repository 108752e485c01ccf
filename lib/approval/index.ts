// What `import 'passport-backup-code/approval'` gives: actions that take two people. The stores for
// SQL and Redis are in `passport-backup-code/sql` and `passport-backup-code/redis`.
export { TwoPersonApproval } from './two-person-approval';
export { MemoryApprovalStore } from './memory-approval-store';
export { APPROVAL_EVENT_TYPES } from './approval-events';
export type { ApprovalDetails, ApprovalEventType, ApprovalReason } from './approval-events';
export type {
  ApprovalBackupCodes,
  ApprovedAction,
  TwoPersonApprovalOptions,
} from './approval-options';
export type {
  ApprovalChange,
  ApprovalRecord,
  ApprovalState,
  ApprovalStore,
  ApprovalUpdate,
} from './approval-store';
export type {
  ActionExecuted,
  ApprovalAccepted,
  ApprovalOutcome,
  ApprovalReference,
  ApprovalRefused,
  ApprovalRequest,
  Decision,
  DecisionProof,
  ExecutionOutcome,
  ShownApproval,
} from './decisions';
export type { Approval, Proposal, ProposedAction } from './proposal';
export type { ApprovalPolicy, ApprovalRole, EntitlementRequest } from './refusal-rules';
