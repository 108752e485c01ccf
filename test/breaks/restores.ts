// Breaks of replaying exported events, and of cursors after a restore.
import type { Break } from './break';

const command = 'test/cli/replay-command.test.ts';
const contract = 'lib/testing/replay-tests.ts';
const restore = 'test/helpers/restore-tests.ts';
const service = 'test/service/replay.test.ts';

export const restoreBreaks: readonly Break[] = [
  {
    id: 'B-01',
    what: 'a code that was consumed since the copy works again',
    file: 'lib/stores/memory-replay.ts',
    find: "change.type === 'code_consumed' && consumeCode(",
    replace: "change.type !== 'code_consumed' && consumeCode(",
    noticedBy: [
      `${restore} › After a restore, what the events took away is taken away again, …`,
      `${contract} › A code that was consumed after the copy was made is consumed again, once`,
    ],
  },
  {
    id: 'B-01',
    what: 'a set stays the current one although a later one is lost',
    file: 'lib/stores/memory-replay.ts',
    find: 'user.current.set.createdAt > at) return false;\n  endSet(user);',
    replace: 'user.current.set.createdAt > at) return false;',
    noticedBy: [`${contract} › An older set ends if a lost one was current later (…)`],
  },
  {
    id: 'B-01',
    what: 'an old event ends a newer set',
    file: 'lib/stores/memory-replay.ts',
    find: '!user.current || user.current.set.createdAt > at',
    replace: '!user.current',
    noticedBy: [
      `${contract} › Events from before the current set change nothing`,
      `${restore} › A replay changes nothing of what users and administrators did since the restore`,
    ],
  },
  {
    id: 'B-01',
    what: 'a staged set whose codes may be consumed can be activated',
    file: 'lib/stores/memory-replay.ts',
    find: 'user.staged.header.createdAt <= at) user.staged = null;',
    replace: 'user.staged.header.createdAt > at) user.staged = null;',
    noticedBy: [
      `${contract} › A staged set that was activated after the copy was made is not usable`,
    ],
  },
  {
    id: 'B-01',
    what: 'codes can be adopted again for a user whose set is lost',
    file: 'lib/stores/memory-replay.ts',
    find: 'user.hadSet = true;',
    replace: '',
    noticedBy: [`${contract} › A user whose only set is lost counts as one who had a set`],
  },
  {
    id: 'B-01',
    what: 'a replay writes events that the trail has',
    file: 'lib/stores/memory-trail.ts',
    find: 'if (this.#ids.has(event.id)) continue;',
    replace: '',
    noticedBy: [
      `${restore} › After a replay the trail has every event as it was, once, and an event of the replay`,
      `${restore} › A second replay of the same events changes nothing and says the same of users`,
    ],
  },
  {
    id: 'B-01',
    what: 'a replay locks a channel that was reopened',
    file: 'lib/service/replay.ts',
    find: "if (event?.type !== 'locked') continue;",
    replace: 'if (event === null) continue;',
    noticedBy: [`${service} › The second factor is as it was: …`],
  },
  {
    id: 'B-02',
    what: 'a value that is not an event is stored as it is',
    file: 'lib/service/replay.ts',
    find: 'return readExportedEvent(value, this.#config.now());',
    replace: 'return value as AuditEvent;',
    noticedBy: [
      `${service} › An event is refused by its number, without its values: …`,
      `${service} › Fields that no event has are not stored`,
    ],
  },
  {
    id: 'B-02',
    what: 'events of another tenant are applied',
    file: 'lib/service/replay.ts',
    find: 'if (event.namespace !== namespace) {',
    replace: 'if (event.namespace === undefined) {',
    noticedBy: [
      `${service} › Events of another namespace are counted, and nothing else is done with them`,
    ],
  },
  {
    id: 'B-02',
    what: 'a whole export is read before any of it is applied',
    file: 'lib/service/replay.ts',
    find: 'if (batch.length < BATCH) continue;',
    replace: 'if (batch.length < BATCH * BATCH) continue;',
    noticedBy: [
      `${service} › An export of 100,000 events is read in batches, and the event loop turns between them`,
    ],
  },
  {
    id: 'B-02',
    what: 'a line that cannot be read is quoted',
    file: 'lib/cli/exported-events.ts',
    find: 'const isOurs = error instanceof BackupCodeError;',
    replace: 'const isOurs = error instanceof Error;',
    noticedBy: [
      `${command} › replay names the lines that it cannot read, applies the others, and fails`,
    ],
  },
  {
    id: 'B-03',
    what: 'a cursor that is ahead of the trail hears nothing, for ever',
    file: 'lib/stores/memory-trail.ts',
    find: 'if (seq > this.#lastSeq || (entry && entry.event.at !== at)) throw cursorAhead();',
    replace: 'if (entry && entry.event.at !== at) throw cursorAhead();',
    noticedBy: [
      `${restore} › A cursor from after the copy is refused at once, and says what to do`,
    ],
  },
  {
    id: 'B-03',
    what: 'a cursor skips the events that have the positions of lost ones',
    file: 'lib/stores/memory-trail.ts',
    find: '(entry && entry.event.at !== at)) throw',
    replace: '(entry && at === -1)) throw',
    noticedBy: [
      `${restore} › A cursor from after the copy is refused when other events have its position`,
    ],
  },
  {
    id: 'B-03',
    what: 'a cursor becomes invalid when its event is removed',
    file: 'lib/stores/memory-trail.ts',
    find: '(entry && entry.event.at !== at)) throw',
    replace: 'entry?.event.at !== at) throw',
    noticedBy: [`${restore} › The cursor of an event that was removed stays valid`],
  },
];
