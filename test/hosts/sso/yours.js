// What docs/single-sign-on.md imports from `./yours.js`. A subject of the provider is somebody's
// name here.
import { backupCodes, commands, PASSWORD, secret, users as people } from './people.js';
import { provider } from './provider.js';

export { backupCodes, commands, provider, secret };
export const users = {
  ...people,
  bySubject: async (issuer, subject) =>
    issuer === provider.trusted ? people.checkPassword(subject, PASSWORD) : null,
};
/** Everybody of this policy has it in their name. */
export const isMfaEnough = ({ name }) => name.startsWith('trusted-');
