// Which forms are being answered just now, in this process. Keeps an answer for as long as somebody
// waits for it, and no longer.
import type { OutgoingHttpHeaders } from 'node:http';

/** An answer that its client did not wait for. */
export interface Dropped {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Buffer;
}

/** What became of the same form, sent before. */
export type First =
  /** There is none under way: the caller is the first, and must `end` the form. */
  | 'nobody'
  /** Its client had its answer. */
  | 'answered'
  | Dropped;

export interface FormDesk {
  /** Waits for the first one's end, if there is one under way. */
  begin(form: string): Promise<First>;
  end(form: string, dropped: Dropped | null): void;
}

export class LocalFormDesk implements FormDesk {
  /** By form, those who wait for its end. */
  private readonly underWay = new Map<string, ((first: First) => void)[]>();

  begin(form: string): Promise<First> {
    const waiting = this.underWay.get(form);
    if (waiting !== undefined) return new Promise((resolve) => waiting.push(resolve));
    this.underWay.set(form, []);
    return Promise.resolve('nobody');
  }

  end(form: string, dropped: Dropped | null): void {
    const waiting = this.underWay.get(form) ?? [];
    this.underWay.delete(form);
    for (const tell of waiting) tell(dropped ?? 'answered');
  }
}
