#!/usr/bin/env node
// The command `passport-backup-code`: makes a pepper, prints the tables. Touches no database and keeps nothing.
import { randomBytes } from 'node:crypto';
import type { Dialect } from './sql/dialect';
import { schemaScript } from './sql/schema';

const USAGE = `passport-backup-code new-pepper [ID]   prints a new pepper as ID:BASE64; keep it in your secret store
passport-backup-code sql DIALECT       prints the tables for sqlite, postgres or mysql
`;

const DIALECTS: readonly string[] = ['sqlite', 'postgres', 'mysql'] satisfies Dialect[];

/** What to print, or `null` where the arguments make no sense. */
function answer(args: readonly string[]): string | null {
  const [command, argument] = args;
  if (args.length > 2) return null;
  if (command === 'new-pepper') {
    const id = argument ?? String(new Date().getUTCFullYear());
    return /^[\w.-]{1,64}$/.test(id) && id !== 'none' ? `${id}:${randomBytes(32).toString('base64')}\n` : null;
  }
  if (command === 'sql' && argument !== undefined && DIALECTS.includes(argument)) return schemaScript(argument as Dialect);
  return null;
}

const text = answer(process.argv.slice(2));
if (text === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.stdout.write(text);
}
