// Starts the service from the environment, and stops it in order.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from './app';
import { ConfigError, readConfig } from './config';

const SHUTDOWN_MS = 10_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (config.isProduction && config.trustProxy === false) {
    process.emitWarning('This service speaks plain HTTP, and in production its cookie is sent over TLS alone: put a proxy in front and set TRUST_PROXY, or nobody can log in.', { code: 'EXAMPLE_NO_PROXY' });
  }
  const service = await createApp(config, { report: complain });
  const server = createServer(service.app);
  server.on('error', (error: NodeJS.ErrnoException) => {
    complain(error.code === 'EADDRINUSE' ? `PORT ${config.port} is in use by another program.` : error);
    process.exit(1);
  });
  server.listen(config.port, () => {
    const { port } = server.address() as AddressInfo;
    console.log(`http://localhost:${port}`);
  });

  const stop = (): void => {
    // What is being answered is answered; connections that only wait are closed.
    server.close(() => void service.close().then(() => process.exit(0), fail));
    server.closeIdleConnections();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function complain(problem: unknown): void {
  const text = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
  process.stderr.write(`${text}\n`);
}

function fail(error: unknown): void {
  complain(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}

main().catch(fail);
