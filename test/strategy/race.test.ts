// One code sent many times at once: each request finds it unspent before any request consumes it.
import { BackupCodeStrategy, MemoryStore, type ConsumeRequest, type Consumption } from '../../lib';
import { expressVersions, openLoginApp, makeService, type Answer } from './test-app';

const REQUESTS = 20;

/** Holds each request that compared a valid code, until the expected number of them wait. */
class MeetingStore extends MemoryStore {
  waiting = 0;
  #meet = (): void => undefined;
  readonly #met = new Promise<void>((resolve) => (this.#meet = resolve));

  override async consume(request: ConsumeRequest): Promise<Consumption> {
    this.waiting += 1;
    if (this.waiting === REQUESTS) this.#meet();
    await this.#met;
    return super.consume(request);
  }
}

describe.each(expressVersions)('on %s', (_name, express) => {
  it('exactly one of twenty requests that all found the code unconsumed is let in', async () => {
    const store = new MeetingStore();
    const { backupCodes, issue } = makeService({ store, attempts: { free: 50 } });
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

    const requests: Promise<Answer>[] = [];
    // The hash queue takes only a few calls of one user at once, so each waits for the one before.
    while (requests.length < REQUESTS) {
      requests.push(site.post('/login', { code }));
      await until(() => store.waiting === requests.length);
    }

    expect((await Promise.all(requests)).map(({ status }) => status).sort()).toEqual([
      200,
      ...Array<number>(REQUESTS - 1).fill(401),
    ]);
    expect((await backupCodes.status('ada'))?.remaining).toBe(9);
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
