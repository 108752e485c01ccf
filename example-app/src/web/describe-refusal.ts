// The message for a refused attempt, with the time to wait. Reveals no more about the reason than
// the strategy does.

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
