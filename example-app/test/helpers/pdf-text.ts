// What stands on the pages of a PDF, page by page. In a process of its own: Jest loads no ES
// modules, which the reader is.
import { execFileSync } from 'node:child_process';

const READER = `
import { extractText } from 'unpdf';
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { text } = await extractText(new Uint8Array(Buffer.concat(chunks)));
process.stdout.write(JSON.stringify(text));`;

export function pdfText(pdf: Buffer): string[] {
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '--eval', READER], {
      input: pdf,
      cwd: __dirname,
      encoding: 'utf8',
    }),
  ) as string[];
}
