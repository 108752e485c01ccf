// Data directories of database servers are made once and copied for each server that starts. The
// copies to take from are in node_modules, so `npm ci` removes them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const TEMPLATES = join(__dirname, '../../../node_modules/.cache/backup-codes-servers');

export interface Template {
  /** The program whose data this is: another version of it gets a template of its own. */
  readonly program: string;
  /** Makes the data directory. */
  readonly make: (data: string) => void;
}

/** Fills a data directory that does not exist yet. No server may run on it. */
export function fillFromTemplate(data: string, { program, make }: Template): void {
  const { size, mtimeMs } = statSync(program);
  const version = createHash('sha256').update(`${program} ${size} ${mtimeMs}`).digest('hex');
  const template = join(TEMPLATES, version.slice(0, 16));
  if (existsSync(template)) {
    copy(template, data);
    return;
  }
  make(data);
  mkdirSync(TEMPLATES, { recursive: true });
  const unfinished = `${template}-${process.pid}`;
  copy(data, unfinished);
  try {
    renameSync(unfinished, template);
  } catch {
    // Another process was faster.
    rmSync(unfinished, { recursive: true });
  }
}

/** With owners and rights, which PostgreSQL checks when it starts. */
function copy(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-Rp', from, to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${from} could not be copied.\n${stderr}`);
}
