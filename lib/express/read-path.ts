// Reads a nested property of a value that may have any shape, such as what a session store returns.

/** Returns `value.a.b` for the path `'a', 'b'`, or `undefined` if there is no such property. */
export function readPath(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined,
    value,
  );
}
