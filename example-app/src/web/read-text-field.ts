// What a form sent, as text. Reads own strings of the body only: never the query, never an array or
// an object.
import type { Request } from 'express';

/** Empty where the field is missing or no string. */
export function readTextField(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, name)
      ? Reflect.get(body, name)
      : undefined;
  return typeof value === 'string' ? value : '';
}
