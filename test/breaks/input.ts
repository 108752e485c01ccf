// Breaks of the input: the typed code, and the context of a request.
import type { Break } from './break';

const consume = 'test/service/consume.test.ts';
const context = 'test/audit/context.test.ts';
const formats = 'test/codes/formats.test.ts';
const input = 'test/strategy/input.test.ts';

const costsNothing = `${consume} › Malformed input costs no hash, attempt or read: …`;

export const inputBreaks: readonly Break[] = [
  {
    id: 'C-06',
    what: 'a value of any type is converted to a string',
    file: 'lib/strategy/user.ts',
    find: "return typeof value === 'string' ? value : undefined",
    replace: 'return value === undefined || value === null ? undefined : String(value)',
    noticedBy: [
      `${input} › … as the code in a JSON body is answered with 400`,
      `${input} › … in a form is answered with 400 after every parser`,
      'test/strategy/fuzz-bodies.test.ts › only an own string field of the body is read as a code',
    ],
  },
  {
    id: 'C-06',
    what: 'a field is read from the prototype of the body',
    file: 'lib/strategy/user.ts',
    find: '!Object.hasOwn(body, field)',
    replace: '!(field in body)',
    noticedBy: [`${input} › a code that the body inherits is not read`],
  },
  {
    id: 'C-06',
    what: 'a value that is not a string is converted to one',
    file: 'lib/codes/read-code.ts',
    find: "if (typeof typed !== 'string' ||",
    replace: "typed = typed === undefined ? '' : String(typed);\n  if (",
    noticedBy: [costsNothing],
  },
  {
    id: 'C-06',
    what: 'the length of a code is unlimited',
    file: 'lib/codes/read-code.ts',
    find: 'typed.length > MAX_TYPED_LENGTH',
    replace: 'typed.length > 256',
    noticedBy: [`${formats} › Input of more than 128 characters is refused`],
  },
  {
    id: 'C-06',
    what: 'the user is looked up before the code is read',
    file: 'lib/service/consume.ts',
    find: 'if (readings.every((reading) => reading === null)) {',
    replace: `if (readings.every((reading) => reading === null)) {
    await store.find(await findSubject());`,
    noticedBy: [costsNothing],
  },
  {
    id: 'A-14.2.1',
    what: 'a code in the URL is accepted',
    file: 'lib/strategy/verify.ts',
    find: 'readField(req.body, options.codeField)',
    replace: 'readField({ ...req.query, ...(req.body as object) }, options.codeField)',
    noticedBy: [`${input} › a valid code in the URL is not consumed, and still works in the body`],
  },
  {
    id: 'X-01',
    what: 'full-width letters and digits are refused',
    file: 'lib/codes/read-code.ts',
    find: ".normalize('NFKC')",
    replace: '',
    noticedBy: [`${formats} › A code is read in any case, with look-alikes, spaces and dashes`],
  },
  {
    id: 'X-01',
    what: 'a code must be typed exactly as it was printed',
    file: 'lib/codes/read-code.ts',
    find: 'const compatible = typed.normalize',
    replace:
      'if (/[a-z\\s\\u2010-\\u2015]/.test(typed)) return null;\n  const compatible = typed.normalize',
    noticedBy: [
      `${consume} › A valid code is accepted in lower case, with other dashes and with spaces`,
      `${formats} › A code is read in any case, with look-alikes, spaces and dashes`,
      'test/strategy/fuzz-codes.test.ts › a valid code is accepted once, however it is decorated',
    ],
  },
  {
    id: 'X-01',
    what: 'a typed I or 1 is not read as L',
    file: 'lib/codes/symbol-table.ts',
    find: 'for (const lookAlike of lookAlikes)',
    replace: "for (const lookAlike of '')",
    noticedBy: [`${formats} › 1, I and l are read as L if the alphabet has only L`],
  },
  {
    id: 'X-07',
    what: 'a code that is pasted with its list number is refused',
    file: 'lib/codes/read-code.ts',
    find: "text.replace(LIST_NUMBER, '')",
    replace: 'text',
    noticedBy: [
      `${formats} › A code is read with the number of its line in a list`,
      `${consume} › A code pasted with its list number is accepted for one hash, as if it was typed`,
    ],
  },
  {
    id: 'X-07',
    what: 'digits in front of a code are ignored although nothing sets them apart',
    file: 'lib/codes/read-code.ts',
    find: 'const LIST_NUMBER = /^\\p{N}{1,2}[\\s\\p{P}\\p{S}]+/u',
    replace: 'const LIST_NUMBER = /^\\p{N}{1,2}[\\s\\p{P}\\p{S}]*/u',
    noticedBy: [`${formats} › Digits in front that are not set apart are symbols too many`],
  },
  {
    id: 'X-07',
    what: 'punctuation between the symbols of a code is ignored',
    file: 'lib/codes/read-code.ts',
    find: 'const SEPARATORS_OF_SYMBOLS = /[\\s\\p{Dash}._]/gu',
    replace: 'const SEPARATORS_OF_SYMBOLS = /[\\s\\p{P}\\p{S}]/gu',
    noticedBy: [
      `${formats} › A code is read with punctuation around it, and refused with punctuation in it`,
    ],
  },
  {
    id: 'X-08',
    what: 'the first code of a pasted list is read',
    file: 'lib/codes/read-code.ts',
    find: '  return symbols.length === format.length ? symbols : null;',
    replace: '  return symbols.length < format.length ? null : symbols.slice(0, format.length);',
    noticedBy: [
      `${formats} › A pasted list of several codes is refused, with list numbers and without`,
      `${consume} › Malformed input costs no hash, attempt or read: …`,
    ],
  },
  {
    id: 'X-08',
    what: 'a pasted list is not answered with the request to enter one code',
    file: 'lib/strategy/outcomes.ts',
    find: 'Please enter one code and try again.',
    replace: 'Please check it and try again.',
    noticedBy: [
      'test/strategy/fail.test.ts › a pasted list of codes is answered with 400 and the request to enter one code',
    ],
  },
  {
    id: 'A-16.4.1',
    what: 'line breaks from a header reach the log',
    file: 'lib/audit/context.ts',
    find: ".replace(UNPRINTABLE, ' ')",
    replace: '',
    noticedBy: [`${context} › Control and direction characters become spaces`],
  },
  {
    id: 'A-16.4.1',
    what: 'a header of any length is recorded, and makes the audit write fail',
    file: 'lib/audit/context.ts',
    find: '.slice(0, MAX_FIELD_LENGTH)',
    replace: '',
    noticedBy: [
      `${input} › a long header with control characters is cut and cleaned before it is recorded`,
      `${context} › Each field is cut to 256 characters`,
    ],
  },
];
