// Tells whoever runs the service what went wrong, on standard error.
import { ConfigError } from '../config-error';

export function complain(problem: unknown): void {
  process.stderr.write(`${textOf(problem)}\n`);
}

function textOf(problem: unknown): string {
  if (problem instanceof ConfigError) return problem.message;
  if (!(problem instanceof Error)) return String(problem);
  const text = problem.stack ?? problem.message;
  return problem.cause === undefined ? text : `${text}\nBecause: ${textOf(problem.cause)}`;
}
