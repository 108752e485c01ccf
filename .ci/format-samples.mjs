// Formats the code blocks of every Markdown page with Prettier. The rest of the page stays as it
// is, because Prettier would pad each table to its widest cell. `--check` lists the pages that
// differ and writes nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { format, resolveConfig } from 'prettier';

const PARSERS = { js: 'babel', jsx: 'babel', mjs: 'babel', ts: 'typescript', tsx: 'typescript' };
const isCheck = process.argv.includes('--check');

const listed = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' });
const options = await resolveConfig('README.md');
let different = 0;

for (const page of listed.split('\n').filter((name) => name !== '')) {
  const before = readFileSync(page, 'utf8');
  const after = await formatSamples(before, page);
  if (after === before) continue;
  different += 1;
  if (isCheck) console.error(`${page}: a code block is not formatted; run npm run format`);
  else writeFileSync(page, after);
}
if (isCheck && different > 0) process.exitCode = 1;

async function formatSamples(text, page) {
  let result = '';
  let end = 0;
  for (const found of text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)) {
    const [, indent, language, code] = found;
    const parser = PARSERS[language];
    if (parser === undefined) continue;
    const start = found.index + indent.length + 3 + language.length + 1;
    result += text.slice(end, start) + (await formatCode(code, { indent, parser, page }));
    end = start + code.length;
  }
  return result + text.slice(end);
}

async function formatCode(code, { indent, parser, page }) {
  const width = (options.printWidth ?? 80) - indent.length;
  const unindented = code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
  try {
    const formatted = await format(unindented, { ...options, printWidth: width, parser });
    return formatted.replaceAll(/^(?=.)/gm, indent);
  } catch (error) {
    throw new Error(`${page}: a code block cannot be read:\n${code}`, { cause: error });
  }
}
