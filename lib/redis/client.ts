// The part of a `redis` client that the stores use: it runs Lua scripts. Opens no connection, and
// sends no command a second time.
import { createHash } from 'node:crypto';

/** The keys and arguments of a script. */
export interface EvalOptions {
  /** All keys of a script have the same hash tag, so that one node of a cluster stores them all. */
  keys: string[];
  arguments: string[];
}

/**
 * A client of `redis` (node-redis 5 or later): a single server, a cluster, a sentinel or a pool.
 * Any object with these two methods is accepted.
 */
export interface RedisClient {
  /** Runs a script. */
  eval(script: string, options: EvalOptions): Promise<unknown>;
  /** Runs a script that the server has in its cache. */
  evalSha(sha1: string, options: EvalOptions): Promise<unknown>;
}

/** A Lua script. Redis runs it as one atomic step. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

/** What a script reads as `request`. A field that is `undefined` is `nil` in Lua. */
export type ScriptRequest = Readonly<Record<string, unknown>>;

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly request?: ScriptRequest;
}

export function defineScript(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * Runs a script in one round trip, or in two if the server does not have it in its cache. That is
 * the only error after which the script is sent again. After any other error it may have run.
 */
export async function runScript(
  client: RedisClient,
  { source, sha1 }: Script,
  { keys, request = {} }: ScriptCall,
): Promise<unknown> {
  const options = { keys: [...keys], arguments: [JSON.stringify(request)] };
  try {
    return await client.evalSha(sha1, options);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.eval(source, options);
  }
}
