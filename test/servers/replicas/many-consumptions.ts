// Users who consume all of their codes at once while the database fails over, and what became of
// each code.
import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import {
  BackupCodeError,
  type BackupCodeErrorCode,
  type BackupCodes,
  type Reason,
} from '../../../lib';

export interface IssuedCode {
  readonly user: string;
  readonly code: string;
}

/** `no_answer` is an error of the database. */
type Answer = 'accepted' | 'repeated' | 'no_answer' | Reason | BackupCodeErrorCode;

/** A code that was sent, and its answer. */
export interface SentCode extends IssuedCode {
  readonly answer: Answer;
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
    try {
      const outcome = await backupCodes.consume(user, code, { loginId });
      if (!outcome.ok) return { user, code, answer: outcome.reason, codeId: null };
      accepted += 1;
      onAccepted(accepted);
      const answer = outcome.repeated ? 'repeated' : 'accepted';
      return { user, code, answer, codeId: outcome.codeId };
    } catch (error) {
      const answer = error instanceof BackupCodeError ? error.code : 'no_answer';
      return { user, code, answer, codeId: null };
    }
  };
  return Promise.all(issued.map(send));
}

/** How many `consumed` events each code has. @param issued whose codes; all if it is left out */
export async function countConsumed(
  db: Kysely<unknown>,
  issued?: readonly IssuedCode[],
): Promise<Map<string, number>> {
  const users = issued?.map(({ user }) => user);
  const { rows } = await sql<{ readonly code_id: string; readonly events: string }>`
    SELECT code_id, count(*) AS events
    FROM backup_code_events
    WHERE type = 'consumed'
      ${users === undefined ? sql`` : sql`AND user_id IN (${sql.join(users)})`}
    GROUP BY code_id`.execute(db);
  return new Map(rows.map(({ code_id: codeId, events }) => [codeId, Number(events)]));
}
