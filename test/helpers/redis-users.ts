// Users of a Redis server with the rights that docs/redis.md lists, and with fewer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from 'redis';
import type { RedisServer } from './servers';

const PAGE = join(__dirname, '../../docs/redis.md');
const LINE = /^ACL SETUSER backup-codes reset on >PASSWORD ~backup-code:\* (.+)$/m;
const CLUSTER_RIGHT = '+cluster|slots';

/** The rights that the page lists, such as `+hset`. */
export const listedRights: readonly string[] = readRights();

export interface UserOptions {
  readonly name: string;
  /** Each is `+` and a command. */
  readonly rights: readonly string[];
  /** @default ['~*'] */
  readonly keys?: readonly string[];
}

/** Makes a user, or replaces it. */
export async function makeUser(
  { url }: RedisServer,
  { name, rights, keys = ['~*'] }: UserOptions,
): Promise<void> {
  const client = await createClient({ url }).connect();
  try {
    await client.aclSetUser(name, ['reset', 'on', '>password', ...keys, ...rights]);
  } finally {
    await client.close();
  }
}

/** The address of a server for a user of {@link makeUser}. */
export function urlFor({ host, port }: RedisServer, name: string): string {
  return `redis://${name}:password@${host}:${port}`;
}

const preparedServers = new WeakMap<RedisServer, Promise<void>>();

/** Makes a user with exactly the listed rights, and returns the address for it. */
export async function urlWithListedRights(server: RedisServer): Promise<string> {
  await makeListedUser(server, listedRights);
  return urlFor(server, 'listed');
}

/** The options of `createCluster` for users with exactly the listed rights. */
export async function clusterWithListedRights(nodes: readonly RedisServer[]): Promise<{
  readonly rootNodes: { readonly url: string }[];
  readonly defaults: { readonly username: string; readonly password: string };
}> {
  const rights = [...listedRights, CLUSTER_RIGHT];
  await Promise.all(nodes.map((node) => makeListedUser(node, rights)));
  return {
    rootNodes: nodes.map((node) => ({ url: urlFor(node, 'listed') })),
    defaults: { username: 'listed', password: 'password' },
  };
}

/** Once for each server, because tests connect often. */
function makeListedUser(server: RedisServer, rights: readonly string[]): Promise<void> {
  const made = preparedServers.get(server) ?? makeUser(server, { name: 'listed', rights });
  preparedServers.set(server, made);
  return made;
}

function readRights(): string[] {
  const [, rights] = LINE.exec(readFileSync(PAGE, 'utf8')) ?? [];
  if (rights === undefined) throw new Error('docs/redis.md lists no rights.');
  return rights.split(' ');
}
