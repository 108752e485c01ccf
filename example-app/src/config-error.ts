// The error for an invalid environment. Never contains a secret.

/** The message is for the operator: what was given, and what was expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
