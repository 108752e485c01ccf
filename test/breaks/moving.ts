// Breaks of the command that takes over codes from an export.
import type { Break } from './break';

const command = 'test/cli/adopt-command.test.ts';
const program = 'test/cli/adopt-program.test.ts';
const isReadable = `${command} › adopt writes nothing if it cannot read a line: …`;

export const movingBreaks: readonly Break[] = [
  {
    id: 'M-01',
    what: 'codes of an export without user ids are stored as user ids',
    file: 'lib/cli/adopt-command.ts',
    find: 'if (hasOnlyCodes) {',
    replace: 'if (hasOnlyCodes && users.length > 1000) {',
    noticedBy: [
      `${command} › adopt stores no code as a user id if the export has no column of users`,
    ],
  },
  {
    id: 'M-01',
    what: 'a line without a known delimiter is a user without codes',
    file: 'lib/cli/csv-line.ts',
    find: 'return delimiter === undefined || others.length > 0 ? null : delimiter;',
    replace: "return others.length > 0 ? null : (delimiter ?? ',');",
    noticedBy: [isReadable],
  },
  {
    id: 'M-01',
    what: 'a line may have another delimiter than the lines before',
    file: 'lib/cli/user-export.ts',
    find: 'if (found === null || found !== delimiter) return',
    replace: 'if (found === null) return',
    noticedBy: [isReadable],
  },
  {
    id: 'M-01',
    what: 'only commas separate fields',
    file: 'lib/cli/csv-line.ts',
    find: "const DELIMITERS = [',', ';', '\\t'] as const;",
    replace: "const DELIMITERS = [','] as const;",
    noticedBy: [
      `${command} › adopt reads fields that are separated by …, below a header`,
      `${program} › adopts the spreadsheet of a country that separates by semicolons`,
    ],
  },
  {
    id: 'M-01',
    what: 'the first line is a header even if it has codes',
    file: 'lib/cli/user-export.ts',
    find: 'BARE_HEADER_NAMES.includes(bareName(name)) && !fields.some(isCode)',
    replace: 'BARE_HEADER_NAMES.includes(bareName(name)) && isCode.length === 1',
    noticedBy: [
      `${command} › adopt skips a first line that begins with … as a header, unless it has a code`,
    ],
  },
  {
    id: 'M-01',
    what: 'an export in another encoding changes the ids of users',
    file: 'lib/cli/read-lines.ts',
    find: '{ fatal: true }',
    replace: '{ fatal: false }',
    noticedBy: [`${command} › adopt refuses an export in …, which would change user ids`],
  },
  {
    id: 'M-01',
    what: 'the length of a line is unlimited',
    file: 'lib/cli/read-lines.ts',
    find: 'start === null || start.length + rest.length > MAX_LINE_LENGTH',
    replace: 'start === null',
    noticedBy: [
      `${command} › adopt refuses a line of several megabytes of …, and writes nothing`,
      `${program} › refuses a line of several megabytes in one sentence`,
    ],
  },
  {
    id: 'M-01',
    what: 'an export without a code is a success',
    file: 'lib/cli/adopt-command.ts',
    find: 'if (usersWithCodes.length === 0) {',
    replace: 'if (usersWithCodes.length < 0) {',
    noticedBy: [`${command} › adopt fails if the export has …`],
  },
  {
    id: 'M-02',
    what: 'a user with a used code is refused',
    file: 'lib/cli/user-export.ts',
    find: "codes.filter((code) => code !== null && code !== '')",
    replace: 'codes',
    noticedBy: [
      `${command} › adopt skips used codes, which are null or empty, and adopts the other codes`,
      `${program} › skips used codes, and exits with 1 if no code is left`,
    ],
  },
  {
    id: 'M-02',
    what: 'a mark beside a code in the records of an app is ignored',
    file: 'lib/service/adopt.ts',
    find: 'readRecordedCode(format, code)',
    replace: "readRecordedCode(format, String(code).replace(/^\\W+|\\W+$/g, ''))",
    noticedBy: ['test/service/adopt.test.ts › Adopting … is refused and changes nothing'],
  },
  {
    id: 'M-03',
    what: 'a signal does not stop the command',
    file: 'lib/cli/adopt-users.ts',
    find: 'faults.length === 0 && !host.stopSignal.aborted',
    replace: 'faults.length === 0',
    noticedBy: [
      `${command} › stops between two users on a signal, names the line, and continues when it runs again`,
      `${command} › completes the users that are begun when a signal or a fault stops it`,
    ],
  },
  {
    id: 'M-04',
    what: 'a repeated run hashes the codes of every user who has a set',
    file: 'lib/service/backup-codes.ts',
    find: '    if (found?.current) return false;\n',
    replace: '    if (found === undefined) return false;\n',
    noticedBy: [
      `${command} › adopt hashes nothing for users who have a set, so that a repeated run takes little`,
    ],
  },
  {
    id: 'M-04',
    what: 'one user is adopted at a time',
    file: 'lib/cli/adopt-users.ts',
    find: 'Math.min(host.cores, users.length)',
    replace: 'Math.min(1, users.length)',
    noticedBy: [`${command} › adopt adopts … users at a time on as many cores`],
  },
  {
    id: 'M-04',
    what: 'the time left is the time of the users that are done',
    file: 'lib/cli/progress.ts',
    find: '(total - done) * msForEach',
    replace: 'done * msForEach',
    noticedBy: [
      `${command} › adopt prints every five seconds how much is done and how much time is left`,
    ],
  },
  {
    id: 'M-04',
    what: 'a user for whom the hash queue had no place is lost',
    file: 'lib/cli/adopt-users.ts',
    find: '          returned.push(index);\n',
    replace: '',
    noticedBy: [
      `${command} › adopt tries a user again for whom the hash queue had no place, with fewer at a time`,
    ],
  },
  {
    id: 'M-03',
    what: 'a signal ends the command without a word about where it stopped',
    file: 'lib/cli/main.ts',
    find: 'process.once(signal, () => stop.abort(signal));',
    replace: 'process.once(signal, () => process.exit(1));',
    noticedBy: [
      `${program} › finishes the users that are begun on …, says where it stopped, and continues on the next run`,
    ],
  },
  {
    id: 'M-03',
    what: 'a command that cannot finish ends as if it was done',
    file: 'lib/cli/main.ts',
    find: 'process.exitCode = 1;',
    replace: 'process.exitCode = 0;',
    noticedBy: [
      `${program} › fails if the module of the app never answers, instead of ending as if it was done`,
    ],
  },
  {
    id: 'M-03',
    what: 'a signal while the export is read is ignored',
    file: 'lib/cli/adopt-command.ts',
    find: '  addAbortSignal(host.stopSignal, input);\n',
    replace: '',
    noticedBy: [`${command} › stops on a signal while it reads, and writes nothing`],
    hangs: true,
  },
];
