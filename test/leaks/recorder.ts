// Writes, for each test file of a recorded run, the codes that callers received and all other
// output.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printed } from '../helpers/canary';
import { recordOutput } from './record-output';

/** The output of one test file. */
export interface Recording {
  readonly file: string;
  readonly codes: readonly string[];
  readonly recorded: readonly string[];
}

const codes = new Set<string>();
const recorded = new Set<string>();
recordOutput({
  learn: (code) => codes.add(code),
  record: (place, value) => recorded.add(`${place}: ${printed(value)}`),
});

afterAll(() => {
  const file = expect.getState().testPath ?? '';
  const recording: Recording = { file, codes: [...codes], recorded: [...recorded] };
  writeFileSync(
    join(process.env['LEAKS_DIR'] ?? '', `${createHash('sha256').update(file).digest('hex')}.json`),
    JSON.stringify(recording),
  );
});
