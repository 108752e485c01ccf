// Looks for secrets in what came out: a code, digest, salt or key, in any form in which people and programs write one.
import { inspect } from 'node:util';

/** A shorter secret would be found where it is not. */
const MIN_LENGTH = 8;

export class Canary {
  /** Found in the text as it stands. */
  private readonly exact = new Forms();
  /** Found in the text without regard to case, and to whatever stands between letters and digits. */
  private readonly loose = new Forms();

  /** A backup code as it is shown. `name` is what a finding says in its place. */
  addCode(code: string, name: string): void {
    const bare = code.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
    this.loose.add(bare, name);
    this.loose.add(Array.from(bare).reverse().join(''), `${name}, reversed`);
    for (const spelling of new Set([
      code,
      code.toLowerCase(),
      code.toUpperCase(),
      bare,
      bare.toUpperCase(),
    ])) {
      const bytes = Buffer.from(spelling);
      this.addEncoded(bytes, name);
      for (const escape of ['x', 'u00'])
        this.loose.add(
          Array.from(bytes, (byte) => escape + byte.toString(16)).join(''),
          `${name}, escaped`,
        );
    }
  }

  /** A digest, salt or key. */
  addBytes(secret: Uint8Array, name: string): void {
    const bytes = Buffer.from(secret);
    this.addEncoded(bytes, name);
    this.addBase64(Buffer.from(bytes.toString('hex')), name);
    this.exact.add(bytes.toString('latin1'), `${name}, as bytes`);
    this.loose.add(Buffer.from(bytes).reverse().toString('hex'), `${name}, reversed`);
  }

  /** What of it occurs in a text, and in which form, each once. */
  findIn(text: string): string[] {
    const squeezed = text
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '');
    return [...new Set([...this.exact.findIn(text), ...this.loose.findIn(squeezed)])];
  }

  private addEncoded(bytes: Buffer, name: string): void {
    this.loose.add(bytes.toString('hex'), `${name}, in hex`);
    this.loose.add(Array.from(bytes).join(''), `${name}, as numbers`);
    // What JSON makes of a typed array: {"0":12,"1":240}.
    this.loose.add(
      Array.from(bytes, (byte, index) => `${index}${byte}`).join(''),
      `${name}, as numbers`,
    );
    this.addBase64(bytes, name);
  }

  /** Also in the middle of more that was encoded with it: without the characters that the neighbours have a share in. */
  private addBase64(bytes: Buffer, name: string): void {
    for (const before of [0, 1, 2]) {
      const [from, to] = [
        Math.ceil((before * 8) / 6),
        Math.floor(((before + bytes.length) * 8) / 6),
      ];
      for (const encoding of ['base64', 'base64url'] as const) {
        this.exact.add(
          Buffer.concat([Buffer.alloc(before), bytes])
            .toString(encoding)
            .slice(from, to),
          `${name}, in base64`,
        );
      }
    }
  }
}

/** By their first characters, so that a text is walked once however many there are. */
class Forms {
  private readonly byStart = new Map<string, { form: string; finding: string }[]>();

  add(form: string, finding: string): void {
    if (form.length < MIN_LENGTH) throw new Error(`${finding} is too short to be looked for.`);
    const start = form.slice(0, MIN_LENGTH);
    this.byStart.set(start, [...(this.byStart.get(start) ?? []), { form, finding }]);
  }

  *findIn(text: string): Generator<string> {
    for (let at = 0; at <= text.length - MIN_LENGTH; at += 1) {
      for (const { form, finding } of this.byStart.get(text.slice(at, at + MIN_LENGTH)) ?? []) {
        if (text.startsWith(form, at)) yield finding;
      }
    }
  }
}

/** All that a log, a debugger or an error page can make of a value. */
export function printed(value: unknown): string {
  const whole = {
    depth: Infinity,
    maxArrayLength: null,
    maxStringLength: null,
    breakLength: Infinity,
  };
  const parts = [
    inspect(value, whole),
    inspect(value, { ...whole, showHidden: true }),
    asJson(value),
    asText(value),
  ];
  if (value instanceof Error) parts.push(value.message, value.stack ?? '', asText(value.cause));
  return [...new Set(parts)].join('\n');
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return 'cannot be written as JSON';
  }
}

function asText(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'cannot be written as text';
  }
}
