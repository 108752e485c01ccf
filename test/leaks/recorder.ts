// Writes, for each test file of a recorded run, the codes that callers received and all other
// output.
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { printed } from '../helpers/canary';
import { overhear } from './overhear';

/** The output of one test file. */
export interface Recording {
  readonly file: string;
  readonly codes: readonly string[];
  readonly heard: readonly string[];
}

const codes = new Set<string>();
const heard = new Set<string>();
overhear({
  learn: (code) => codes.add(code),
  hear: (place, value) => heard.add(`${place}: ${printed(value)}`),
});

afterAll(() => {
  const file = expect.getState().testPath ?? '';
  const recording: Recording = { file, codes: [...codes], heard: [...heard] };
  writeFileSync(
    join(process.env['LEAKS_DIR'] ?? '', `${createHash('sha256').update(file).digest('hex')}.json`),
    JSON.stringify(recording),
  );
});
