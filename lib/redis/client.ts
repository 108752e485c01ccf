// The app's Redis client, as far as it is used here: it runs scripts. Opens no connection, and sends nothing twice.
import { createHash } from 'node:crypto';

/** A client of `redis` (node-redis 5 or later): single, cluster, sentinel or pool. Told by its shape, so that its types are none of our callers' business. */
export interface RedisClient {
  /** Runs a script. */
  eval(script: string, options: ScriptInput): Promise<unknown>;
  /** Runs a script that the server knows. */
  evalSha(sha1: string, options: ScriptInput): Promise<unknown>;
}

/** Where the data lie. */
export interface RedisPlace {
  readonly client: RedisClient;
  readonly prefix: string;
}

/** What a script is given. All keys carry one hash tag, so that they live on one node of a cluster. */
export interface ScriptInput {
  keys: string[];
  arguments: string[];
}

/** Lua that runs as one atomic step. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export function defineScript(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * One round trip; a second one where the server does not know the script yet, which is the only fault after which it
 * is sent again: of any other, nobody here can know whether it was run.
 */
export async function runScript(
  client: RedisClient,
  { source, sha1 }: Script,
  input: ScriptInput,
): Promise<unknown> {
  try {
    return await client.evalSha(sha1, input);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(source, input);
  }
}
