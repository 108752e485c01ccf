// Deployments that weaken the security: told once per process, never thrown.

const told = new Set<string>();

/** `code` is stable, and an anchor in the README. */
export function warnOnce(code: string, message: string): void {
  if (told.has(code)) return;
  told.add(code);
  process.emitWarning(message, { code });
}
