// Installs the packages that this one is compared with, from the lock of `bench/peers`, when a
// suite first needs one. Nothing else depends on them.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const PEERS = join(__dirname, '../peers');
const requireHere = createRequire(join(PEERS, 'package.json'));

export function requirePeer(name: string): unknown {
  installPeers();
  return requireHere(name);
}

export function installPeers(): void {
  const installed = join(PEERS, 'node_modules/.package-lock.json');
  const isCurrent =
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(PEERS, 'package-lock.json')).mtimeMs;
  if (isCurrent) return;
  process.stdout.write('Installing the packages of bench/peers.\n');
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  execFileSync('npm', args, {
    cwd: PEERS,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}
