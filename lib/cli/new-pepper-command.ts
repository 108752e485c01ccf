// The command `new-pepper`: prints a new pepper for a secret store. It writes no file.
import { randomBytes } from 'node:crypto';
import type { Command, CommandHost, ExitCode } from './command';

/** The length of an HMAC-SHA-256 key (RFC 2104, section 3: at least the length of the hash). */
const KEY_BYTES = 32;
/** An id that can be written before the colon. */
const PEPPER_ID = /^[\w.-]{1,64}$/;
/** This id stands for "no pepper" in the option `pepper`. */
const RESERVED_ID = 'none';

export const newPepperCommand: Command = {
  name: 'new-pepper',
  synopsis: '[ID]',
  description: [
    'Prints a new pepper as ID:BASE64. Keep it in your secret store.',
    'ID has 1 to 64 letters, digits, "_", "." or "-". The default is this year.',
  ],
  run: printNewPepper,
};

function printNewPepper(args: readonly string[], { stdout }: CommandHost): ExitCode {
  const [id = String(new Date().getUTCFullYear()), ...excess] = args;
  if (excess.length > 0 || !PEPPER_ID.test(id) || id === RESERVED_ID) return 2;
  stdout(`${id}:${randomBytes(KEY_BYTES).toString('base64')}\n`);
  return 0;
}
