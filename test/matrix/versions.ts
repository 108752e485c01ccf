// Every version that the package is run on, apart from package.json only so that a test can compare
// the two. Runs nothing.

/**
 * The oldest is the one of `engines`, to the minor; the others are the majors with long support.
 */
export const NODES = ['20.19', '22', '24', '26'] as const;

export const TYPESCRIPTS = ['5.9', '6', '7'] as const;

/**
 * Two apps on each Node: one on the oldest majors of what the package works with; one on the
 * newest, with tests of its own.
 */
export const APPS = {
  oldest: { express: '4', kysely: '0.28', react: '18', redis: '5', '@node-rs/argon2': '2' },
  newest: {
    express: '5',
    kysely: '0.29',
    react: '19',
    redis: '6',
    '@node-rs/argon2': '2',
    jest: '30',
    vitest: '4',
  },
} as const;

/**
 * The first Node of what does not run on all of them; before it, the newest app stays with the
 * version of the oldest.
 */
export const SINCE: Readonly<Record<string, number>> = { 'kysely@0.29': 22 };

export type Node = (typeof NODES)[number];
export type AppName = keyof typeof APPS;

/** `20` of `20.19`. */
export function majorOf(version: string): number {
  return Number(version.split('.')[0]);
}

export function runsOn(spec: string, node: Node): boolean {
  return (SINCE[spec] ?? 0) <= majorOf(node);
}

/** What is installed in that app on that Node, but for the package. */
export function versionsOf(app: AppName, node: Node): Record<string, string> {
  const older: Readonly<Record<string, string>> = APPS.oldest;
  return Object.fromEntries(
    Object.entries(APPS[app]).map(([name, version]) => [
      name,
      runsOn(`${name}@${version}`, node) ? version : (older[name] ?? version),
    ]),
  );
}
