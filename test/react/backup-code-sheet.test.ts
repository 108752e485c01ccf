// The sheet as a server renders it.
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { BackupCodeSheet } from '../../lib/react';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { ACCOUNT, CODES, SAMPLE_PROPS, SERVICE } from './sample-set';

const render = (props: object = {}): string =>
  renderToString(createElement(BackupCodeSheet, { ...SAMPLE_PROPS, ...props }));
const textOf = (html: string): string => html.replace(/<[^>]*>/g, '\n').replaceAll('&amp;', '&');

describe('the sheet that a server renders', () => {
  it('The sheet is a numbered list of real text, with each code once', () => {
    const html = render();
    const [, list = ''] = /<ol[^>]*>(.*)<\/ol>/.exec(html) ?? [];
    const items = [...list.matchAll(/<li><code[^>]*>([^<]*)<\/code><\/li>/g)];
    expect(items.map(([, code]) => code)).toEqual(CODES);
    for (const code of CODES) expect(html.split(code)).toHaveLength(2);
  });

  it('The sheet has no code in an attribute, and no style, script or request', () => {
    const html = render();
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('\n');
    for (const code of CODES) expect(tags).not.toContain(code);
    expect(html).not.toMatch(/\sstyle=|<style|<script|<form|\son\w+=|\s(?:href|src|action)=/);
  });

  it('The sheet accepts every property that the router and BackupCodes return', () => {
    expect(render({ setId: 'a-set' })).toBe(render());
    expect(render({ expiresAt: null })).toContain(ENGLISH_LABELS.never);
    expect(render({ account: undefined })).not.toContain(ENGLISH_LABELS.account);
  });

  it('Every code is drawn from left to right and is never translated, on a page in any language', () => {
    const tags = [...render().matchAll(/<code[^>]*>/g)].map(([tag]) => tag);
    expect(tags).toHaveLength(CODES.length);
    for (const tag of tags) expect(tag).toMatch(/ dir="ltr" translate="no">$/);
  });

  it('The server renders no code if the codes are hidden until the user asks for them', () => {
    const html = render({ hideCodes: true });
    expect(CODES.filter((code) => html.includes(code))).toEqual([]);
    expect(html).toContain(ENGLISH_LABELS.show);
    expect(render()).not.toContain(ENGLISH_LABELS.show);
  });

  it('The sheet has the classes and the heading level that the app chooses', () => {
    const html = render({
      classNames: { list: 'two columns', continue: 'primary' },
      headingLevel: 3,
    });
    expect(html).toMatch(/<ol data-backup-codes="list" class="two columns"/);
    expect(html).toMatch(/<button data-backup-codes="continue" class="primary"/);
    expect(html).toMatch(/<h3 [^>]*>Your backup codes<\/h3>/);
    expect(render()).not.toContain('class=');
  });

  it('The sheet contains no English if every label is replaced', () => {
    const labels = Object.fromEntries(
      Object.keys(ENGLISH_LABELS).map((name, index) => [name, `[${index}]`]),
    );
    const lines = textOf(render({ labels, locale: 'ja' })).split('\n');
    const fromTheApp = [...CODES, SERVICE, ACCOUNT];
    const others = lines.filter((line) => !fromTheApp.includes(line));
    // "UTC" is the name of the time zone in every language.
    const words = others.map((line) => line.replace(/ UTC$/, ''));
    expect(words.filter((line) => /[a-z]/i.test(line))).toEqual([]);
  });

  it('The sheet shows the English label if the given label is undefined', () => {
    expect(render({ labels: { copy: undefined } })).toBe(render());
  });
});
