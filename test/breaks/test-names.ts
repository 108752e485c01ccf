// Reads test names from their files without running them, and resolves references: `path › describe
// › name`.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

export const ROOT = join(__dirname, '../..');
/** Separates the parts of a reference. */
export const STEP = ' › ';
/** Replaces each value that a template or a table inserts in a name. */
const FILLED_IN = '…';

const DECLARES_TESTS = new Set(['it', 'test']);
const DECLARES_GROUPS = new Set([
  'describe',
  'describeInBrowser',
  'onEachStore',
  'describeOn',
  'describeWith',
]);
/** Functions whose first argument is a database. */
const TITLE_IS_SECOND = new Set(['describeOn', 'describeWith']);

interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface TestReference {
  readonly path: string;
  /** Titles of some of the groups around the test, outermost first, then its own. */
  readonly titles: readonly string[];
}

export function parseReference(reference: string): TestReference {
  const [path = '', ...titles] = reference.split(STEP).map((part) => part.trim());
  return { path, titles };
}

/** Whether the file exists and declares the test. */
export function isDeclared(reference: string): boolean {
  const { path, titles } = parseReference(reference);
  if (titles.length === 0 || !existsSync(join(ROOT, path))) return false;
  return testNames(path).some((declared) => isSame(declared, titles));
}

/** A pattern for Jest's `-t` that runs this test, and others only if they have the same words. */
export function namePattern({ titles }: TestReference): string {
  const words = titles.map((title) =>
    title
      .split(FILLED_IN)
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*'),
  );
  return `${words.join('.* ')}$`;
}

const cache = new Map<string, readonly (readonly string[])[]>();

/** Each test of the file: the titles of its groups, then its own. */
export function testNames(path: string): readonly (readonly string[])[] {
  const names = cache.get(path) ?? readTestNames(readFileSync(join(ROOT, path), 'utf8'));
  cache.set(path, names);
  return names;
}

/** As `testNames`, from a source string. */
export function readTestNames(source: string): readonly (readonly string[])[] {
  const names: string[][] = [];
  const visit = (value: unknown, groups: readonly string[]): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, groups);
    } else if (isNode(value)) {
      const declared = value.type === 'CallExpression' ? declaration(value) : null;
      if (declared?.isTest === true) names.push([...groups, declared.title]);
      const inside = declared?.isTest === false ? [...groups, declared.title] : groups;
      for (const field of Object.values(value)) visit(field, inside);
    } else if (typeof value === 'object' && value !== null) {
      for (const field of Object.values(value)) visit(field, groups);
    }
  };
  visit(parseSync(source, { syntax: 'typescript', target: 'es2022' }), []);
  return names;
}

/**
 * `it('title', …)`, `runner.it('title', …)`, `it.each(table)('title', …)`: what it declares, or
 * `null` for another call.
 */
function declaration(call: SyntaxNode): { title: string; isTest: boolean } | null {
  const isTable = isNode(call['callee']) && call['callee'].type === 'CallExpression';
  const name = isTable
    ? calledName((call['callee'] as SyntaxNode)['callee'], 'each')
    : calledName(call['callee']);
  if (name === null || !(DECLARES_TESTS.has(name) || DECLARES_GROUPS.has(name))) return null;
  const given = (call['arguments'] as { expression: unknown }[])[TITLE_IS_SECOND.has(name) ? 1 : 0]
    ?.expression;
  const title = titleOf(given, isTable);
  return title === null ? null : { title, isTest: DECLARES_TESTS.has(name) };
}

/** The function name: `it` for `it` and `runner.it` and, with `member`, for `it.each`. */
function calledName(callee: unknown, member?: string): string | null {
  if (!isNode(callee)) return null;
  if (callee.type === 'Identifier' && member === undefined) return String(callee['value']);
  if (callee.type !== 'MemberExpression') return null;
  const property = calledName(callee['property']);
  return member === undefined
    ? property
    : property === member
      ? calledName(callee['object'])
      : null;
}

function titleOf(given: unknown, isTable: boolean): string | null {
  if (!isNode(given)) return null;
  const text =
    given.type === 'StringLiteral'
      ? String(given['value'])
      : given.type === 'TemplateLiteral'
        ? (given['quasis'] as { cooked: string }[]).map(({ cooked }) => cooked).join(FILLED_IN)
        : null;
  return isTable && text !== null ? text.replace(/%[#a-zA-Z]|\$\w+(?:\.\w+)*/g, FILLED_IN) : text;
}

/** Whether the title is the same and the groups occur in this order. */
function isSame(declared: readonly string[], titles: readonly string[]): boolean {
  if (declared.at(-1) !== titles.at(-1)) return false;
  let from = 0;
  return titles.every((title) => {
    const place = declared.indexOf(title, from);
    from = place + 1;
    return place >= 0;
  });
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { type?: unknown }).type === 'string'
  );
}
