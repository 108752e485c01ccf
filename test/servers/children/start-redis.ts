// Starts a Redis as a test does, tells where it is, and waits to be killed.
import { redis } from '../../helpers/servers';

void redis.start().then(({ port, dir }) => {
  process.stdout.write(JSON.stringify({ port, dir }));
  setInterval(() => undefined, 1000);
});
