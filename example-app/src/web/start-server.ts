// One process that serves: starts listening, and stops in order.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../app';
import type { Config } from '../config';
import type { FormDesk } from './forms-in-progress';
import { complain } from './report-to-stderr';

export const SHUTDOWN_MS = 10_000;

export interface ServeOptions {
  readonly desk?: FormDesk;
  /** Told the port once the service listens. */
  readonly onListening?: (port: number) => void;
}

export async function serve(
  config: Config,
  { desk, onListening = () => undefined }: ServeOptions,
): Promise<void> {
  const service = await createApp(config, { report: complain, desk });
  const server = createServer(service.app);
  server.on('error', (error: NodeJS.ErrnoException) => {
    complain(
      error.code === 'EADDRINUSE' ? `PORT ${config.port} is in use by another program.` : error,
    );
    process.exit(1);
  });
  server.listen(config.port, () => onListening((server.address() as AddressInfo).port));

  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    // What is being answered is answered; connections that only wait are closed.
    server.close(() => {
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          complain(error);
          process.exit(1);
        },
      );
    });
    server.closeIdleConnections();
    setTimeout(() => process.exit(1), SHUTDOWN_MS).unref();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
