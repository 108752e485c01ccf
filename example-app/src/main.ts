// Starts the service from the environment: in this process, or in as many as WEB_CONCURRENCY says.
import cluster from 'node:cluster';
import { readConfig } from './config';
import { complain } from './web/report-to-stderr';
import { deskOfPrimary } from './web/shared-forms-in-progress';
import { serve } from './web/start-server';
import { startWorkers } from './web/start-workers';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (cluster.isWorker) {
    await serve(config, { desk: deskOfPrimary() });
    return;
  }
  if (config.isProduction && config.trustProxy === false) {
    process.emitWarning(
      'This service speaks plain HTTP, and in production its cookie is sent over TLS alone: put a proxy in front and set TRUST_PROXY, or nobody can log in.',
      { code: 'EXAMPLE_NO_PROXY' },
    );
  }
  if (config.isProduction && config.mail.smtp === null) {
    process.emitWarning('Nobody is told when a backup code of theirs is used: set SMTP_URL.', {
      code: 'EXAMPLE_NO_MAIL',
    });
  }
  const onListening = (port: number): void => console.log(`http://localhost:${port}`);
  if (config.workers > 1) await startWorkers(config, { onListening });
  else await serve(config, { onListening });
}

main().catch((error: unknown) => {
  complain(error);
  process.exit(1);
});
