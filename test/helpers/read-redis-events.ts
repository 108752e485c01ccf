// Reads a user's audit trail straight from the stream of the user's partition, as an operator with
// redis-cli does.
import type { AuditEvent } from '../../lib';
import { userKeys } from '../../lib/redis/keys';
import { userKey } from '../../lib/stores/subject';

/** The part of a node-redis client that is needed, on one server or on a cluster. */
export interface StreamClient {
  xRange(
    key: string,
    start: string,
    end: string,
  ): Promise<readonly { readonly message: Record<string, string> }[] | null>;
  hmGet(key: string, fields: string[]): Promise<readonly (string | null)[]>;
}

const NUMBER_FIELDS = ['remaining', 'total', 'refusals'];

export async function readRedisEvents(
  client: StreamClient,
  userId: string,
  prefix = 'backup-code:',
): Promise<AuditEvent[]> {
  const { events, refusals } = userKeys(prefix, userKey(userId));
  const entries = (await client.xRange(events, '-', '+')) ?? [];
  const trail = entries
    .map(({ message }) => readMessage(message))
    .filter((event) => event.userId === userId);
  if (trail.length === 0) return [];
  const ids = trail.map(({ id }) => id);
  const counted = await client.hmGet(refusals, ids);
  return trail.map((event, n) => {
    const laterRefusals = counted[n] ?? null;
    return laterRefusals === null ? event : { ...event, refusals: Number(laterRefusals) };
  });
}

function readMessage({ event = '', ...filledIn }: Record<string, string>): AuditEvent {
  const replaced: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(filledIn)) {
    replaced[name] = NUMBER_FIELDS.includes(name) ? Number(value) : value;
  }
  return { ...(JSON.parse(event) as AuditEvent), ...replaced };
}
