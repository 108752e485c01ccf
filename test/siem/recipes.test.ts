// Runs the recipes of docs/siem.md: each block after a comment `<!-- run: NAME -->`, as a module.
// The names that the page mentions are in scope, and `passport-backup-code/siem` is this working
// tree.
import { metrics } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { destination } from 'pino';
import { BackupCodes } from '../../lib';
import { EVENT_TYPES } from '../../lib/siem';
import { countingHasher } from '../helpers/counting-hasher';
import { openService, WRONG } from '../helpers/service';
import { memory, onEachStore, type OpenStore } from '../helpers/stores';
import { CONTEXT } from './events';
import { violations } from './schemas';

const ROOT = join(__dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/siem.md'), 'utf8');
const RESULTS = join(ROOT, 'test-results/siem');

/** Runs a block with these names in scope. */
async function run(name: string, scope: object): Promise<unknown> {
  const [found, ...others] = [
    ...PAGE.matchAll(new RegExp(`<!-- run: ${name} -->\\s*\`\`\`js\\n([\\s\\S]*?)\`\`\``, 'g')),
  ];
  if (found?.[1] === undefined || others.length > 0)
    throw new Error(`docs/siem.md must have one \`\`\`js block after <!-- run: ${name} -->.`);
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.js`);
  writeFileSync(
    file,
    found[1].replaceAll("'passport-backup-code/siem'", JSON.stringify(join(ROOT, 'lib/siem'))),
  );
  Object.assign(globalThis, scope);
  jest.resetModules();
  return import(file);
}

/** Makes three events that are stored, and one that only listeners receive. */
async function attemptAll(backupCodes: BackupCodes): Promise<void> {
  const { codes } = await backupCodes.issue('ada\n', CONTEXT);
  await backupCodes.consume('ada\n', codes[0], CONTEXT);
  await backupCodes.consume('ada\n', WRONG, CONTEXT);
  await backupCodes.consume('ada\n', 'not a code', CONTEXT);
}

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siem-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the recipe for pino', () => {
  it('the recipe for pino writes each event as a line, and failures as warnings', async () => {
    const { backupCodes, received } = await openService(memory.open);
    const file = join(directory, 'log.jsonl');
    await run('pino', { backupCodes, destination: destination({ dest: file, sync: true }) });
    await attemptAll(backupCodes);

    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event: { id }, log: { level } }) => [id, level])).toEqual(
      received.map(({ id, type }) => [id, type === 'rejected' ? 'warn' : 'info']),
    );
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(violations('ecs', line)).toEqual([]);
  });
});

/** Keeps the lines that are posted to it. */
interface Collector {
  readonly url: string;
  readonly server: Server;
  readonly received: { readonly metadata: { readonly uid: string } }[];
  /** How the next request ends, after its lines were kept. */
  next: 'answer' | 'refuse' | 'hang-up';
}

async function openCollector(): Promise<Collector> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { next } = collector;
      collector.next = 'answer';
      if (next !== 'refuse')
        collector.received.push(
          ...body
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
      if (next === 'hang-up') request.socket.destroy();
      else response.writeHead(next === 'refuse' ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: Collector = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    received: [],
    next: 'answer',
  };
  return collector;
}

onEachStore('the recipe with a cursor', (open) => {
  let collector: Collector;
  let opened: OpenStore;
  let backupCodes: BackupCodes;
  let ship: () => Promise<number>;
  beforeEach(async () => {
    collector = await openCollector();
    opened = await open();
    backupCodes = new BackupCodes({ store: opened.store, hasher: countingHasher() });
    const file = join(directory, 'cursor');
    const loadCursor = async (): Promise<string | null> =>
      existsSync(file) ? readFileSync(file, 'utf8') : null;
    const saveCursor = async (cursor: string): Promise<void> => writeFileSync(file, cursor);
    ({ ship } = (await run('cursor', {
      backupCodes,
      collectorUrl: collector.url,
      loadCursor,
      saveCursor,
    })) as { ship: () => Promise<number> });
  });
  afterEach(() => {
    collector.server.closeAllConnections();
    collector.server.close();
  });
  const shipped = (): string[] => collector.received.map(({ metadata }) => metadata.uid);
  const stored = async (): Promise<string[]> => (await opened.events()).map(({ id }) => id);

  it('the recipe with a cursor sends each stored event once, in order', async () => {
    expect(await ship()).toBe(0);
    await attemptAll(backupCodes);
    expect(await ship()).toBe(3);
    await attemptAll(backupCodes);
    expect(await ship()).toBe(3);
    expect(await ship()).toBe(0);
    expect(shipped()).toEqual(await stored());
    for (const document of collector.received) expect(violations('ocsf', document)).toEqual([]);
  });

  it('the recipe with a cursor sends events again that the collector refused', async () => {
    await attemptAll(backupCodes);
    collector.next = 'refuse';
    await expect(ship()).rejects.toThrow('The collector answered 503.');
    expect(await ship()).toBe(3);
    expect(shipped()).toEqual(await stored());
  });

  it('the recipe with a cursor repeats events whose delivery was not confirmed', async () => {
    await attemptAll(backupCodes);
    collector.next = 'hang-up';
    await expect(ship()).rejects.toThrow('fetch failed');
    expect(await ship()).toBe(3);
    const ids = await stored();
    expect(shipped()).toEqual([...ids, ...ids]);
  });
});

describe('the recipe for OpenTelemetry', () => {
  it('the recipe for OpenTelemetry counts events by type and reason only', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const provider = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    });
    metrics.setGlobalMeterProvider(provider);
    const { backupCodes } = await openService(memory.open);
    await run('metrics', { backupCodes });
    await attemptAll(backupCodes);
    await attemptAll(backupCodes);

    await provider.forceFlush();
    const [counted, ...others] = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    expect(others).toEqual([]);
    expect(counted?.descriptor).toMatchObject({ name: 'backup_code.events', unit: '{event}' });
    expect(counted?.dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual([
      [{ type: 'issued' }, 2],
      [{ type: 'consumed' }, 2],
      [{ type: 'rejected', reason: 'mismatch' }, 2],
      [{ type: 'rejected', reason: 'malformed' }, 2],
    ]);
    await provider.shutdown();
    metrics.disable();
  });
});

it('the table of the page says for every event who should be notified', () => {
  const table = PAGE.split('\n## Who to notify\n')[1] ?? '';
  expect(EVENT_TYPES.filter((type) => !table.includes(`\`${type}\``))).toEqual([]);
});
