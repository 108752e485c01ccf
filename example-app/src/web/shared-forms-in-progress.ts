// One registry for the processes of one service: the primary keeps it, the others ask over the channel
// that Node gives them. Answers, which may show codes, go from memory to memory.
import type { Worker } from 'node:cluster';
import type { DroppedAnswer, FirstSubmission, FormsInProgress } from './forms-in-progress';

type Question =
  | { readonly kind: 'begin'; readonly id: number; readonly form: string }
  | { readonly kind: 'end'; readonly form: string; readonly dropped: DroppedAnswer | null };

interface Reply {
  readonly id: number;
  readonly first: FirstSubmission;
}

/** In a worker: the forms of its primary. Where the primary is gone, so is the worker. */
export function connectToPrimary(): FormsInProgress {
  const asked = new Map<number, (first: FirstSubmission) => void>();
  let lastId = 0;
  process.on('message', ({ id, first }: Reply) => {
    asked.get(id)?.(first);
    asked.delete(id);
  });
  const send = (question: Question): void => {
    process.send?.(question);
  };
  return {
    begin: (form) =>
      new Promise((resolve) => {
        lastId += 1;
        asked.set(lastId, resolve);
        send({ kind: 'begin', id: lastId, form });
      }),
    end: (form, dropped) => send({ kind: 'end', form, dropped }),
  };
}

/**
 * In the primary. The forms of a worker that dies count as answered: those who wait are then looked
 * at like anybody else.
 */
export function shareFormsInProgress(worker: Worker, forms: FormsInProgress): void {
  const begun = new Set<string>();
  let isGone = false;
  const end = (form: string, dropped: DroppedAnswer | null): void => {
    begun.delete(form);
    forms.end(form, dropped);
  };
  worker.on('message', (question: Question) => {
    // What a process said last may be heard after its end, and nobody would ever end that form.
    if (isGone) return;
    if (question.kind === 'end') {
      end(question.form, question.dropped);
      return;
    }
    const { id, form } = question;
    void forms.begin(form).then((first) => {
      if (first === 'none' && isGone) forms.end(form, null);
      else if (first === 'none') begun.add(form);
      if (worker.isConnected()) worker.send({ id, first } satisfies Reply, () => undefined);
    });
  });
  worker.once('exit', () => {
    isGone = true;
    for (const form of begun) end(form, null);
  });
}
