// Notices two strategies under one name: the later one silently replaces the earlier one. Passport
// reads the name of a strategy only if `passport.use` was given none.
import type { Channel } from '../audit/context';
import { warnOfMistake } from '../internal/warn-once';

/** The channel of the first strategy whose own name was read. */
let firstChannel: Channel | undefined;

/** Watches who reads the name of a strategy. It can still be replaced. */
export function watchName(strategy: { name: string }, channel: Channel): void {
  if (process.env['NODE_ENV'] === 'production') return;
  let { name } = strategy;
  Object.defineProperty(strategy, 'name', {
    configurable: true,
    enumerable: true,
    get: () => {
      noteUse(name, channel);
      return name;
    },
    set: (given: string) => (name = given),
  });
}

/** Two strategies of one channel are usual: an app that is made twice, as tests do. */
function noteUse(name: string, channel: Channel): void {
  firstChannel ??= channel;
  if (channel === firstChannel) return;
  warnOfMistake(
    'BACKUP_CODE_NAME_TWICE',
    `Two strategies were registered as "${name}", one with findUser and one without. In one ` +
      'Passport the later one replaces the earlier one. Name each: ' +
      "passport.use('recovery', new BackupCodeStrategy({ backupCodes, findUser })).",
  );
}
