// A figure as text. Knows nothing of what it counts.

/** Counts as they are; anything else to three places, and fewer where it is large. */
export function written(figure: number | string | undefined): string {
  if (typeof figure !== 'number') return figure ?? '';
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(figure < 100 ? 3 : 0);
}
