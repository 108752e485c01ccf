// Puts the shared answers and headers of an OpenAPI document in the places that refer to them.
import type { OpenApiDescription } from '../../lib/express';

/** Resolves the references to headers and responses. Those to schemas stay. */
export function resolveReferences(description: OpenApiDescription): OpenApiDescription {
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== 'object' || value === null) return value;
    const [, group, name] =
      /^#\/components\/(headers|responses)\/(\w+)$/.exec(String(Reflect.get(value, '$ref'))) ?? [];
    if (group !== undefined && name !== undefined) {
      const shared = description.components[group as 'headers' | 'responses'][name];
      if (shared === undefined) throw new Error(`The document has no ${group}/${name}.`);
      return resolve(shared);
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  };
  return resolve(description) as OpenApiDescription;
}
