// Prints the text of a PDF as a JSON array with one string for each page: `node pdf-text.mjs FILE`.
import { readFileSync } from 'node:fs';
import { extractText, getDocumentProxy } from 'unpdf';

const { text } = await extractText(
  await getDocumentProxy(new Uint8Array(readFileSync(process.argv[2]))),
  { mergePages: false },
);
process.stdout.write(JSON.stringify(text));
