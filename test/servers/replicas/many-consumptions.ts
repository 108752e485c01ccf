// Users who consume all of their codes at once while the database fails over, and what became of
// each code.
import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import type { BackupCodes, Reason } from '../../../lib';

export interface IssuedCode {
  readonly user: string;
  readonly code: string;
}

/** A code that was sent, and its answer. */
export interface SentCode extends IssuedCode {
  readonly answer: 'accepted' | 'repeated' | 'no_answer' | Reason;
  /** `null` if the code was not accepted. */
  readonly codeId: string | null;
}

interface SendOptions {
  /** Names the login that each code is for. Leave it out for a login of its own each time. */
  readonly login?: string;
  /** Receives how many codes were accepted so far. */
  readonly onAccepted?: (count: number) => void;
}

/** @param each how many codes of each user are sent */
export async function issueCodes(
  backupCodes: BackupCodes,
  { users, each }: { readonly users: number; readonly each: number },
): Promise<IssuedCode[]> {
  const sets = await Promise.all(
    Array.from({ length: users }, async () => {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      return codes.slice(0, each).map((code) => ({ user, code }));
    }),
  );
  return sets.flat();
}

/** Sends all codes at once. */
export function sendAll(
  backupCodes: BackupCodes,
  issued: readonly IssuedCode[],
  { login, onAccepted = () => undefined }: SendOptions = {},
): Promise<SentCode[]> {
  let accepted = 0;
  const send = async ({ user, code }: IssuedCode, index: number): Promise<SentCode> => {
    const loginId = login === undefined ? undefined : `${login} login of code ${index}`;
    const outcome = await backupCodes.consume(user, code, { loginId }).catch(() => null);
    if (outcome === null) return { user, code, answer: 'no_answer', codeId: null };
    if (!outcome.ok) return { user, code, answer: outcome.reason, codeId: null };
    accepted += 1;
    onAccepted(accepted);
    const answer = outcome.repeated ? 'repeated' : 'accepted';
    return { user, code, answer, codeId: outcome.codeId };
  };
  return Promise.all(issued.map(send));
}

/** How many `consumed` events each code has. */
export async function countConsumed(db: Kysely<unknown>): Promise<Map<string, number>> {
  const { rows } = await sql<{ readonly code_id: string; readonly events: string }>`
    SELECT code_id, count(*) AS events
    FROM backup_code_events
    WHERE type = 'consumed'
    GROUP BY code_id`.execute(db);
  return new Map(rows.map(({ code_id: codeId, events }) => [codeId, Number(events)]));
}
