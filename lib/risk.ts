// Asks the app's risk hook, and takes anything but a clear answer for a no.
import type { Config, Risk, RiskAttempt } from './config';

const MAX_WAIT_MS = 5000;

/** `allow` where there is no hook. */
export async function assess(hook: Config['assessRisk'], attempt: RiskAttempt): Promise<Risk> {
  if (hook === undefined) return 'allow';
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer within five seconds')), MAX_WAIT_MS);
  });
  try {
    const answer: unknown = await Promise.race([(async () => hook(attempt))(), silence]);
    if (answer === 'allow' || answer === 'step-up' || answer === 'deny') return answer;
    throw new Error("the answer was none of 'allow', 'step-up' and 'deny'");
  } catch (error) {
    process.emitWarning(`assessRisk failed, so the attempt is denied: ${error instanceof Error ? error.message : 'not an Error'}`, { code: 'BACKUP_CODE_RISK' });
    return 'deny';
  } finally {
    clearTimeout(timer);
  }
}
