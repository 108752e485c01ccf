// How the tables print a figure.

/**
 * Whole numbers are printed unchanged, others with three decimal places, or rounded from 100 on.
 */
export function formatFigure(figure: number | string | undefined): string {
  if (typeof figure !== 'number') return figure ?? '';
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(figure < 100 ? 3 : 0);
}
