// Asks the app's risk hook. Anything except a clear answer denies.
import { withinSeconds } from '../internal/time-limit';
import type { Risk, RiskAttempt } from './options';

const MAX_RISK_SECONDS = 5;

/**
 * The answer of the hook; `deny` if it throws, takes longer than five seconds or returns anything
 * else.
 */
export async function assess(
  hook: (attempt: RiskAttempt) => Risk | Promise<Risk>,
  attempt: RiskAttempt,
): Promise<Risk> {
  try {
    const answer: unknown = await withinSeconds(MAX_RISK_SECONDS, {
      call: () => hook(attempt),
      late: () => new Error(`it did not answer within ${MAX_RISK_SECONDS} seconds`),
    });
    if (answer === 'allow' || answer === 'step_up' || answer === 'deny') return answer;
    throw new Error("it must return 'allow', 'step_up' or 'deny'");
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it threw something that is not an Error';
    process.emitWarning(`assessRisk failed, so the attempt is denied: ${why}`, {
      code: 'BACKUP_CODE_RISK',
    });
    return 'deny';
  }
}
