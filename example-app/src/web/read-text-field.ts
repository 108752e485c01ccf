// Reads a field of a form as a string. Only strings that are own properties of the body count:
// never the query, an array or an object.
import type { Request } from 'express';

/** `''` if the field is missing or not a string. */
export function readTextField(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, name)
      ? Reflect.get(body, name)
      : undefined;
  return typeof value === 'string' ? value : '';
}
