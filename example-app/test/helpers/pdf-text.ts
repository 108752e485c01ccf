// Reads the text of a PDF, page by page. Runs in another process, because Jest cannot load the
// reader, which is an ES module.
import { execFileSync } from 'node:child_process';

const READER = `
import { extractText } from 'unpdf';
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { text } = await extractText(new Uint8Array(Buffer.concat(chunks)));
process.stdout.write(JSON.stringify(text));`;

export function readPdf(pdf: Buffer): string[] {
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', READER], {
      input: pdf,
      cwd: __dirname,
      encoding: 'utf8',
    }),
  ) as string[];
}
