// Starts the server in this process, and stops it gracefully.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../app';
import type { Config } from '../config';
import type { FormsInProgress } from './forms-in-progress';
import { reportToStderr } from './report-to-stderr';

export const SHUTDOWN_MS = 10_000;

export interface StartServerOptions {
  readonly forms?: FormsInProgress;
  /** Called with the port when the service listens. */
  readonly onListening?: (port: number) => void;
}

export async function startServer(
  config: Config,
  { forms, onListening = () => undefined }: StartServerOptions,
): Promise<void> {
  const service = await createApp(config, { report: reportToStderr, forms });
  const server = createServer(service.app);
  server.on('error', (error: NodeJS.ErrnoException) => {
    reportToStderr(
      error.code === 'EADDRINUSE' ? `PORT ${config.port} is in use by another program.` : error,
    );
    process.exit(1);
  });
  server.listen(config.port, () => onListening((server.address() as AddressInfo).port));

  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    // Requests in progress are finished; idle connections are closed.
    server.close(() => {
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          reportToStderr(error);
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
