// Runs an app in a process of its own: `node start.js APP`. The app listens on a free port instead
// of its own. Records how each request to the strategy is settled, and runs the commands of
// `yours.ts` for the test.
import { Server, type AddressInfo } from 'node:net';
import { BackupCodeStrategy } from 'passport-backup-code';

type Action = (...args: unknown[]) => unknown;

/** The actions of Passport that settled each request. */
const settlements: string[][] = [];

const { listen } = Server.prototype as unknown as { listen: Action };
Reflect.set(Server.prototype, 'listen', function (this: Server, ...args: unknown[]) {
  this.once('listening', () => process.send?.({ port: (this.address() as AddressInfo).port }));
  return listen.call(this, 0, '127.0.0.1', ...args.filter((arg) => typeof arg === 'function'));
});

const { authenticate } = BackupCodeStrategy.prototype as unknown as { authenticate: Action };
Reflect.set(
  BackupCodeStrategy.prototype,
  'authenticate',
  function (this: object, ...args: unknown[]) {
    const actions: string[] = [];
    settlements.push(actions);
    for (const name of ['success', 'fail', 'error', 'pass', 'redirect']) {
      const action = Reflect.get(this, name) as Action;
      Reflect.set(this, name, (...given: unknown[]) => {
        actions.push(name);
        return action.apply(this, given);
      });
    }
    return authenticate.apply(this, args);
  },
);

process.on('message', ({ id, command, args }: { id: number; command: string; args: unknown[] }) => {
  const run = async (): Promise<unknown> => {
    const { commands } = await import('./yours.js');
    const all: Record<string, Action> = {
      ...(commands as unknown as Record<string, Action>),
      settlements: () => settlements.splice(0),
    };
    return all[command]?.(...args);
  };
  run().then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit());

// An error here ends the process and is printed.
void import(process.argv[2] ?? '');
