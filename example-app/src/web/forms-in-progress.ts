// The forms that this process is answering. Keeps an answer only while another request waits for
// it.
import type { OutgoingHttpHeaders } from 'node:http';

/** A response whose client has disconnected. */
export interface DroppedAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** The result of an earlier submission of the same form. */
export type FirstSubmission =
  /** No earlier one is in progress: the caller is the first, and must call `end`. */
  | 'none'
  /** The client received its answer. */
  | 'answered'
  | DroppedAnswer;

export interface FormsInProgress {
  /** Waits for the first submission to end, if one is in progress. */
  begin(form: string): Promise<FirstSubmission>;
  end(form: string, dropped: DroppedAnswer | null): void;
}

export class LocalFormsInProgress implements FormsInProgress {
  /** The requests that wait for each form. */
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
