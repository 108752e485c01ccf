// The versions on which the package runs. A test compares them with package.json.

/** The oldest is the one in `engines`. The others are the majors with long-term support. */
export const NODES = ['20.19', '22', '24', '26'] as const;

export const TYPESCRIPTS = ['5.9', '6', '7'] as const;

/**
 * Two apps on each Node. One has the oldest major versions of the peers. The other has the newest
 * ones, and tests of its own.
 */
export const APPS = {
  oldest: { express: '4', kysely: '0.28', react: '18', redis: '5', '@node-rs/argon2': '2' },
  newest: {
    express: '5',
    kysely: '0.29',
    react: '19',
    redis: '6',
    '@node-rs/argon2': '2',
    '@electric-sql/pglite': '0.5',
    jest: '30',
    vitest: '4',
  },
} as const;

/**
 * The first Node for packages that do not run on all. On an older Node, the newest app has the
 * version of the oldest app.
 */
export const FIRST_NODE: Readonly<Record<string, number>> = { 'kysely@0.29': 22 };

export type Node = (typeof NODES)[number];
export type AppName = keyof typeof APPS;

/** The `20` in `20.19`. */
export function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}

export function runsOn(spec: string, node: Node): boolean {
  return (FIRST_NODE[spec] ?? 0) <= majorOf(node);
}

/** The packages that are installed in the app, except this one. */
export function versionsOf(app: AppName, node: Node): Record<string, string> {
  const older: Readonly<Record<string, string>> = APPS.oldest;
  return Object.fromEntries(
    Object.entries(APPS[app]).map(([name, version]) => [
      name,
      runsOn(`${name}@${version}`, node) ? version : (older[name] ?? version),
    ]),
  );
}
