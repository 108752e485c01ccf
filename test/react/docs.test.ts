// The page docs/react.md: its code, its table of props, and its table of labels.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { createElement, type FunctionComponent } from 'react';
import { renderToString } from 'react-dom/server';
import { BackupCodes, MemoryStore, type IssuedSet } from '../../lib';
import * as library from '../../lib/react';
import { ENGLISH_LABELS, type BackupCodeSheetLabels } from '../../lib/react/labels';
import { countingHasher } from '../helpers/counting-hasher';
import { CODES, SERVICE } from './sample-set';

const page = readFileSync(join(__dirname, '../../docs/react.md'), 'utf8');
const LANGUAGES = ['English', 'Deutsch', 'Français', 'Español', '日本語'];
const rows = page
  .split('<!-- labels -->\n')[1]!
  .trim()
  .split('\n')
  .map((row) => row.replace(/^\| | \|$/g, '').split(' | '));
const set = { setId: 'a-set', codes: CODES, createdAt: Date.UTC(2026, 10, 21), expiresAt: null };

/** The labels in one language. */
function labelsOf(language: string): BackupCodeSheetLabels {
  const column = rows[0]!.indexOf(language);
  return Object.fromEntries(
    rows.slice(2).map((row) => [row[0]!.replaceAll('`', ''), row[column]!]),
  ) as unknown as BackupCodeSheetLabels;
}

describe('the table of labels in the documentation', () => {
  it('The table of labels has five languages', () => {
    expect(rows[0]).toEqual(['label', ...LANGUAGES]);
  });

  it('The table of labels has the English labels of the sheet', () => {
    expect(labelsOf('English')).toEqual(ENGLISH_LABELS);
  });

  it.each(LANGUAGES.slice(1))(
    'The table has a translation of every label into %s that the sheet accepts',
    (language) => {
      const labels = labelsOf(language);
      expect(Object.keys(labels)).toEqual(Object.keys(ENGLISH_LABELS));
      // "Service" is also a French word.
      expect(
        Object.entries(labels).filter(
          ([name, text]) =>
            text === ENGLISH_LABELS[name as keyof typeof ENGLISH_LABELS] && name !== 'service',
        ),
      ).toEqual([]);
      const html = renderToString(
        createElement(library.BackupCodeSheet, {
          ...set,
          service: SERVICE,
          labels,
          onAcknowledge: () => undefined,
        }),
      );
      for (const name of ['heading', 'introduction', 'acknowledge', 'continue', 'never'] as const)
        expect(html).toContain(labels[name]);
    },
  );
});

it('the component in the documentation renders no codes before the user asks for them', () => {
  const { NewCodes } = loadBlock('sheet', (name) =>
    name === 'passport-backup-code/react' ? library : jest.requireActual(name),
  );
  const html = renderToString(
    createElement(NewCodes as FunctionComponent<Record<string, unknown>>, {
      user: { email: 'ada@example.com' },
      onDone: () => undefined,
    }),
  );
  expect(html).toBe('<button type="button">Make new backup codes</button>');
});

describe('the server actions in the documentation', () => {
  const backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() });
  let isFresh = true;
  const actions = loadBlock('next', (name) =>
    name === '@/lib/backup-codes'
      ? { backupCodes }
      : {
          requireFreshLogin: () => {
            if (!isFresh) throw new Error('log in again');
            return { id: 'ada' };
          },
        },
  ) as {
    stage: () => Promise<IssuedSet>;
    activate: (setId: string) => Promise<boolean>;
  };

  it('The actions stage a set and activate it, also if the activation is repeated', async () => {
    const { setId, codes } = await actions.stage();
    expect(await actions.activate(setId)).toBe(true);
    expect(await actions.activate(setId)).toBe(true);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it('The action returns false if the set was replaced by a later one', async () => {
    const { setId } = await actions.stage();
    await actions.stage();
    expect(await actions.activate(setId)).toBe(false);
  });

  it('No action does anything for a login that is not fresh', async () => {
    isFresh = false;
    await expect(actions.stage()).rejects.toThrow('log in again');
    await expect(actions.activate('a-set')).rejects.toThrow('log in again');
  });
});

it('the documentation lists every prop, and every part that takes a class', () => {
  const unknown = (): string =>
    renderToString(createElement(library.BackupCodeSheet, { zzz: 1 } as never));
  const [, props = ''] = /It knows (.*?)\. /.exec(messageOf(unknown)) ?? [];
  const documented = [
    ...page
      .split('## Props')[1]!
      .split('\n## ')[0]!
      .matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm),
  ].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
  expect([...documented, 'setId'].sort()).toEqual(props.split(', ').sort());
  const wrong = (): string =>
    renderToString(
      createElement(library.BackupCodeSheet, {
        ...set,
        service: SERVICE,
        onAcknowledge: () => undefined,
        classNames: { zzz: 'x' },
      } as never),
    );
  const [, parts = ''] = /It knows (.*?)\. /.exec(messageOf(wrong)) ?? [];
  expect(
    [.../by part: (.*) \|$/m.exec(page)![1]!.matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
  ).toEqual(parts.split(', '));
});

function messageOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

/** Runs a code block of the page as a module, and returns what it exports. */
function loadBlock(name: string, load: (name: string) => unknown): Record<string, unknown> {
  const [, source = ''] =
    new RegExp(`<!-- run: ${name} -->\\s*\`\`\`jsx?\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
  const { code } = transformSync(source, {
    jsc: {
      parser: { syntax: 'ecmascript', jsx: true },
      transform: { react: { runtime: 'automatic' } },
      target: 'es2022',
    },
    module: { type: 'commonjs' },
  });
  const exported: Record<string, unknown> = {};
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- runs the block unchanged
  new Function('require', 'exports', code)(load, exported);
  return exported;
}
