// Reads a user's audit trail straight from the stream of its partition, as an operator with redis-cli would.
import type { AuditEvent } from '../../lib';
import { keysOf } from '../../lib/redis/keys';
import { userKey } from '../../lib/stores/subject';

/** What it takes: any client of node-redis, of one server or of a cluster. */
export interface StreamReader {
  xRange(
    key: string,
    start: string,
    end: string,
  ): Promise<readonly { readonly message: Record<string, string> }[] | null>;
  hmGet(key: string, fields: string[]): Promise<readonly (string | null)[]>;
}

export async function readRedisEvents(
  client: StreamReader,
  userId: string,
  prefix = 'backup-code:',
): Promise<AuditEvent[]> {
  const [, , events = '', refusals = ''] = keysOf(prefix, userKey(userId));
  const entries = await client.xRange(events, '-', '+');
  const trail = (entries ?? [])
    .map(({ message: { event = '', ...filledIn } }) => ({
      ...(JSON.parse(event) as AuditEvent),
      ...numbersIn(filledIn),
    }))
    .filter((event) => event.userId === userId);
  if (trail.length === 0) return [];
  const counted = await client.hmGet(
    refusals,
    trail.map(({ id }) => id),
  );
  return trail.map((event, n) => ({
    ...event,
    refusals: counted[n] == null ? event.refusals : Number(counted[n]),
  }));
}

function numbersIn(fields: Record<string, string>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      ['remaining', 'total', 'refusals'].includes(name) ? Number(value) : value,
    ]),
  );
}
