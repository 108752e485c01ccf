// Waits for the app's own code, and not for ever. Stops nothing: what comes late is ignored, a late failure too.

/** What `call` gives, or the failure of `late()` after so many seconds. */
export async function withinSeconds<T>(
  seconds: number,
  { call, late }: { call: () => Promise<T> | T; late: () => Error },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000);
  });
  try {
    return await Promise.race([(async () => call())(), silence]);
  } finally {
    clearTimeout(timer);
  }
}
