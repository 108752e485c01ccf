// Starts the service from the environment, in this process or in as many as WEB_CONCURRENCY says.
import cluster from 'node:cluster';
import { readConfig } from './config';
import { reportToStderr } from './web/report-to-stderr';
import { connectToPrimary } from './web/shared-forms-in-progress';
import { startServer } from './web/start-server';
import { startWorkers } from './web/start-workers';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (cluster.isWorker) {
    await startServer(config, { forms: connectToPrimary() });
    return;
  }
  if (config.isProduction && config.trustProxy === false) {
    process.emitWarning(
      'This service speaks plain HTTP, and in production its cookie is sent only over TLS. ' +
        'Put a proxy in front and set TRUST_PROXY, or users cannot log in.',
      { code: 'EXAMPLE_NO_PROXY' },
    );
  }
  if (config.isProduction && config.mail.smtp === null) {
    process.emitWarning(
      'Users are not notified when one of their backup codes is used: set SMTP_URL.',
      { code: 'EXAMPLE_NO_MAIL' },
    );
  }
  const onListening = (port: number): void => console.log(`http://localhost:${port}`);
  if (config.workers > 1) await startWorkers(config, { onListening });
  else await startServer(config, { onListening });
}

main().catch((error: unknown) => {
  reportToStderr(error);
  process.exit(1);
});
