// How the tables print a figure.

/**
 * Whole numbers are printed as they are, others with three decimal places or, from 100 on, none.
 */
export function formatFigure(figure: number | string | undefined): string {
  if (typeof figure !== 'number') return figure ?? '';
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(figure < 100 ? 3 : 0);
}
