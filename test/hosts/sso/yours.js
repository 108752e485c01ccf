// The module `./yours.js` that docs/single-sign-on.md imports. A subject of the provider is the
// name of a user here.
import { backupCodes, commands, PASSWORD, secret, users as people } from './people.js';
import { provider } from './provider.js';

export { backupCodes, commands, provider, secret };
export const users = {
  ...people,
  bySubject: async (issuer, subject) =>
    issuer === provider.trusted ? people.checkPassword(subject, PASSWORD) : null,
};
/** The policy applies to users whose name begins with `trusted-`. */
export const isMfaEnough = ({ name }) => name.startsWith('trusted-');
