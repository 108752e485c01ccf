// Shares the forms in progress between the processes of a service. The primary process holds them,
// and the workers ask it over Node's IPC channel. Responses, which may show codes, never reach a
// disk.
import type { Worker } from 'node:cluster';
import type { DroppedAnswer, FirstSubmission, FormsInProgress } from './forms-in-progress';

type Question =
  | { readonly kind: 'begin'; readonly id: number; readonly form: string }
  | { readonly kind: 'end'; readonly form: string; readonly dropped: DroppedAnswer | null };

interface Reply {
  readonly id: number;
  readonly first: FirstSubmission;
}

/** For a worker: uses the forms of its primary. A worker ends when its primary ends. */
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
 * For the primary. When a worker dies its forms count as answered: requests that wait for them are
 * then processed as usual.
 */
export function shareFormsInProgress(worker: Worker, forms: FormsInProgress): void {
  const begun = new Set<string>();
  let isGone = false;
  const end = (form: string, dropped: DroppedAnswer | null): void => {
    begun.delete(form);
    forms.end(form, dropped);
  };
  worker.on('message', (question: Question) => {
    // A message can arrive after the worker has ended. Its form would never be ended.
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
