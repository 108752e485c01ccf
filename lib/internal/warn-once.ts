// Warnings about deployments that weaken the security. The process continues.

const warned = new Set<string>();

/**
 * Emits a process warning, once for each code.
 *
 * @param code a stable word that the README explains
 */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, { code });
}
