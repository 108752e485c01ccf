// A refusal as a sentence for the person, with how long to wait. Says no more of why than the
// strategy does.

export function describeRefusal({
  message,
  retryAfterSeconds,
}: {
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
}): string {
  if (retryAfterSeconds === undefined) return message;
  const [count, unit] =
    retryAfterSeconds < 120
      ? [retryAfterSeconds, 'second']
      : [Math.ceil(retryAfterSeconds / 60), 'minute'];
  return `${message} Try again in ${count} ${unit}${count === 1 ? '' : 's'}.`;
}
