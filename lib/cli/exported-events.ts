// Reads exported events from a file with a JSON object on each line. Keeps one line at a time, and
// the numbers of the first lines that cannot be read.
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import { readExportedEvent } from '../service/exported-event';
import { MAX_NAMED_LINES } from './app-module';
import { readLines } from './read-lines';

/** Lines that cannot be read for the same reason. */
interface UnreadableLines {
  count: number;
  /** The first ones. */
  readonly lineNumbers: number[];
}

export class ExportedEventReader {
  /** The line that was read last, counting from 1. */
  lineNumber = 0;
  /** By what is wrong with them. No message quotes a line: it could be anything. */
  readonly unreadableLines = new Map<string, UnreadableLines>();

  /** Leaves out empty lines and those that cannot be read. */
  async *read(input: NodeJS.ReadableStream): AsyncGenerator<AuditEvent> {
    for await (const line of readLines(input)) {
      this.lineNumber += 1;
      if (line?.trim() === '') continue;
      const event = this.#parse(line);
      if (event !== null) yield event;
    }
  }

  #parse(line: string | null): AuditEvent | null {
    try {
      return readExportedEvent(line === null ? null : JSON.parse(line), Date.now());
    } catch (error) {
      // The message of the JSON parser quotes the line.
      const isOurs = error instanceof BackupCodeError;
      this.#addUnreadable(isOurs ? error.message : 'expected an event as JSON on one line.');
      return null;
    }
  }

  #addUnreadable(problem: string): void {
    const lines = this.unreadableLines.get(problem) ?? { count: 0, lineNumbers: [] };
    lines.count += 1;
    if (lines.lineNumbers.length < MAX_NAMED_LINES) lines.lineNumbers.push(this.lineNumber);
    this.unreadableLines.set(problem, lines);
  }
}
