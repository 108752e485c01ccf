// Targets: a figure of this run and the bound that it must keep. A missed target fails nothing,
// because the machine may be busy.
import { formatFigure } from './format-figure';

export interface Target {
  readonly claim: string;
  readonly figure: number;
  readonly bound: number;
  readonly must: 'be at most' | 'be at least' | 'stay under';
}

/** A figure that is `NaN` reaches no target. */
export function isReached({ figure, bound, must }: Target): boolean {
  if (must === 'be at most') return figure <= bound;
  return must === 'be at least' ? figure >= bound : figure < bound;
}

export function formatTarget(target: Target): string {
  const { claim, figure, bound, must } = target;
  const result = isReached(target) ? 'reached' : 'MISSED ';
  return `${result}  ${claim}: ${formatFigure(figure)}, must ${must} ${formatFigure(bound)}`;
}
