// Breaks of the sheet of codes.
import type { Break } from './break';

const rendered = 'test/react/backup-code-sheet.test.ts';

export const sheetBreaks: readonly Break[] = [
  {
    id: 'P-01',
    what: 'a page from right to left draws codes that do not exist',
    file: 'lib/react/backup-code-sheet.tsx',
    find: 'dir="ltr" translate="no"',
    replace: 'translate="no"',
    noticedBy: [
      `${rendered} › Every code is drawn from left to right and is never translated, on a page in any language`,
    ],
  },
  {
    id: 'P-03',
    what: 'the sheet says that codes work for up to half a minute after they expired',
    file: 'lib/react/set-text.ts',
    find: '.format(time)',
    replace: '.format(time + 30_000)',
    noticedBy: [
      'test/react/set-text.test.ts › The codes still work at the time until which the sheet says that they are valid',
    ],
  },
  {
    id: 'P-05',
    what: 'the server renders codes that are hidden in the browser only',
    file: 'lib/react/backup-code-sheet.tsx',
    find: 'useState(!hideCodes)',
    replace: 'useState(true)',
    noticedBy: [
      `${rendered} › The server renders no code if the codes are hidden until the user asks for them`,
    ],
  },
];
