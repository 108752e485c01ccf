// Reports errors to the operator, on standard error.
import { ConfigError } from '../config-error';

export function reportToStderr(problem: unknown): void {
  process.stderr.write(`${formatProblem(problem)}\n`);
}

function formatProblem(problem: unknown): string {
  if (problem instanceof ConfigError) return problem.message;
  if (!(problem instanceof Error)) return String(problem);
  const text = problem.stack ?? problem.message;
  return problem.cause === undefined ? text : `${text}\nBecause: ${formatProblem(problem.cause)}`;
}
