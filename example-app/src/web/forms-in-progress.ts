// Which forms are being answered just now, in this process. Keeps an answer for as long as somebody
// waits for it, and no longer.
import type { OutgoingHttpHeaders } from 'node:http';

/** An answer that its client did not wait for. */
export interface DroppedAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** What became of the same form, sent before. */
export type FirstSubmission =
  /** There is none under way: the caller is the first, and must `end` the form. */
  | 'none'
  /** Its client had its answer. */
  | 'answered'
  | DroppedAnswer;

export interface FormsInProgress {
  /** Waits for the first one's end, if there is one under way. */
  begin(form: string): Promise<FirstSubmission>;
  end(form: string, dropped: DroppedAnswer | null): void;
}

export class LocalFormsInProgress implements FormsInProgress {
  /** By form, those who wait for its end. */
  private readonly underWay = new Map<string, ((first: FirstSubmission) => void)[]>();

  begin(form: string): Promise<FirstSubmission> {
    const waiting = this.underWay.get(form);
    if (waiting !== undefined) return new Promise((resolve) => waiting.push(resolve));
    this.underWay.set(form, []);
    return Promise.resolve('none');
  }

  end(form: string, dropped: DroppedAnswer | null): void {
    const waiting = this.underWay.get(form) ?? [];
    this.underWay.delete(form);
    for (const resolve of waiting) resolve(dropped ?? 'answered');
  }
}
