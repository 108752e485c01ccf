// Two nodes of MariaDB Galera Cluster, from Debian's mariadb-server and galera-4. Each node is a
// server process of its own; the second copies its data from the first with rsync.
import { existsSync } from 'node:fs';
import type { ServerKind } from './describe-with';
import { mariadb, startMariadb, type MariadbServer } from './mariadb';
import { findProgram, freePort } from './server-process';

export interface GaleraCluster {
  readonly nodes: readonly [MariadbServer, MariadbServer];
  stop(): Promise<void>;
}

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';

/** A node that does not answer is given up after a second, so that a test sees the loss. */
const TIMEOUTS = 'evs.keepalive_period=PT0.3S;evs.suspect_timeout=PT1S;evs.inactive_timeout=PT2S';

export const galera: ServerKind<GaleraCluster, Record<string, never>> = {
  name: 'MariaDB Galera Cluster',
  missing,
  start: startCluster,
};

async function startCluster(): Promise<GaleraCluster> {
  const firstPort = await freePort();
  const first = await startNode({ name: 'first', port: firstPort, address: 'gcomm://' });
  try {
    const second = await startNode({
      name: 'second',
      port: await freePort(),
      address: `gcomm://127.0.0.1:${firstPort}`,
    });
    const nodes = [first, second] as const;
    return {
      nodes,
      stop: async () => {
        await Promise.all(nodes.map((node) => node.stop()));
      },
    };
  } catch (error) {
    await first.stop();
    throw error;
  }
}

interface GaleraNode {
  readonly name: string;
  /** The port on which the nodes speak to each other. The servers' own ports are others. */
  readonly port: number;
  readonly address: string;
}

async function startNode({ name, port, address }: GaleraNode): Promise<MariadbServer> {
  const [transferPort, catchUpPort] = [await freePort(), await freePort()];
  const provider = [
    `base_host=127.0.0.1`,
    `base_port=${port}`,
    `gmcast.listen_addr=tcp://127.0.0.1:${port}`,
    `ist.recv_addr=127.0.0.1:${catchUpPort}`,
    'gcache.size=16M',
    TIMEOUTS,
  ];
  return startMariadb({
    isEmpty: address !== 'gcomm://',
    args: [
      '--wsrep-on=ON',
      `--wsrep-provider=${PROVIDER}`,
      `--wsrep-provider-options=${provider.join(';')}`,
      '--wsrep-cluster-name=backup-codes',
      `--wsrep-cluster-address=${address}`,
      `--wsrep-node-name=${name}`,
      '--wsrep-node-address=127.0.0.1',
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=127.0.0.1:${transferPort}`,
      '--wsrep-slave-threads=1',
      '--binlog-format=ROW',
      '--default-storage-engine=InnoDB',
      '--innodb-autoinc-lock-mode=2',
    ],
  });
}

function missing(): string | null {
  const server = mariadb.missing();
  if (server !== null) return server;
  if (!existsSync(PROVIDER)) return 'galera-4 is not installed; run .ci/install.';
  return findProgram('rsync') === null ? 'rsync is not installed; run .ci/install.' : null;
}
