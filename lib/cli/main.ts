#!/usr/bin/env node
// The command `passport-backup-code`: makes a pepper, prints the tables, takes over old codes. Opens no database and keeps nothing.
import { randomBytes } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { adoptCommand } from './adopt';
import type { Dialect } from '../sql/dialect';
import { schemaScript } from '../sql/schema';

const USAGE = `passport-backup-code new-pepper [ID]   prints a new pepper as ID:BASE64; keep it in your secret store
passport-backup-code sql DIALECT       prints the tables for sqlite, postgres or mysql
passport-backup-code adopt --config MODULE [--dry-run] [FILE]
                                       takes over codes that were printed before, from FILE or standard input:
                                       {"userId": "7", "codes": ["…", "…"]} or 7,…,… in each line.
                                       MODULE exports your backupCodes and the old codes' format
`;

const DIALECTS: readonly string[] = ['sqlite', 'postgres', 'mysql'] satisfies Dialect[];

/** What to print, or `null` where the arguments make no sense. */
function answer(args: readonly string[]): string | null {
  const [command, argument] = args;
  if (args.length > 2) return null;
  if (command === 'new-pepper') {
    const id = argument ?? String(new Date().getUTCFullYear());
    return /^[\w.-]{1,64}$/.test(id) && id !== 'none'
      ? `${id}:${randomBytes(32).toString('base64')}\n`
      : null;
  }
  if (command === 'sql' && argument !== undefined && DIALECTS.includes(argument))
    return schemaScript(argument as Dialect);
  return null;
}

async function run([command, ...rest]: readonly string[]): Promise<number> {
  if (command === 'adopt') {
    const code = await adoptCommand(rest, {
      load: (file) => import(pathToFileURL(file).href),
      stdin: process.stdin,
      print: (line) => process.stdout.write(`${line}\n`),
      tell: (line) => process.stderr.write(`${line}\n`),
    });
    if (code !== null) return code;
  } else {
    const text = answer(process.argv.slice(2));
    if (text !== null) {
      process.stdout.write(text);
      return 0;
    }
  }
  process.stderr.write(USAGE);
  return 2;
}

void run(process.argv.slice(2)).then((code) => {
  // The app's pool would keep the process alive. What was printed is out first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
});
