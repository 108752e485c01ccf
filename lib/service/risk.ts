// Asks the app's risk hook, and takes anything but a clear answer for a no.
import type { Config, Risk, RiskAttempt } from './options';
import { withinSeconds } from '../internal/time-limit';

/** `allow` where there is no hook. */
export async function assess(hook: Config['assessRisk'], attempt: RiskAttempt): Promise<Risk> {
  if (hook === undefined) return 'allow';
  try {
    const answer: unknown = await withinSeconds(5, {
      call: () => hook(attempt),
      late: () => new Error('no answer within five seconds'),
    });
    if (answer === 'allow' || answer === 'step_up' || answer === 'deny') return answer;
    throw new Error("the answer was none of 'allow', 'step_up' and 'deny'");
  } catch (error) {
    process.emitWarning(
      `assessRisk failed, so the attempt is denied: ${error instanceof Error ? error.message : 'not an Error'}`,
      { code: 'BACKUP_CODE_RISK' },
    );
    return 'deny';
  }
}
