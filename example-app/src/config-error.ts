// What a wrong environment is told with. Never holds a secret.

/** A message for the person who starts the service: what was given, and what was meant. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
