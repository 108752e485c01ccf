// What a person reads in a PDF, a text for each of its pages: `node pdf-text.mjs FILE`.
import { readFileSync } from 'node:fs';
import { extractText, getDocumentProxy } from 'unpdf';

const { text } = await extractText(
  await getDocumentProxy(new Uint8Array(readFileSync(process.argv[2]))),
  { mergePages: false },
);
process.stdout.write(JSON.stringify(text));
