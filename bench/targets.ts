// What is to be reached, and whether it was: a figure of this run against a bound. Fails nothing, for a machine may be busy.
import { written } from './written';

export interface Target {
  readonly claim: string;
  readonly figure: number;
  readonly bound: number;
  readonly must: 'be at most' | 'be at least' | 'stay under';
}

export function isReached({ figure, bound, must }: Target): boolean {
  if (must === 'be at most') return figure <= bound;
  return must === 'be at least' ? figure >= bound : figure < bound;
}

export function verdict(target: Target): string {
  const { claim, figure, bound, must } = target;
  return `${isReached(target) ? 'reached' : 'MISSED '}  ${claim}: ${written(figure)}, to ${must} ${written(bound)}`;
}
