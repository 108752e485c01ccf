// Starts a Redis as a test does, prints its port and directory, and waits to be killed.
import { redis } from '../../helpers/servers';

void redis.start().then(({ port, dir }) => {
  process.stdout.write(JSON.stringify({ port, dir }));
  setInterval(() => undefined, 1000);
});
