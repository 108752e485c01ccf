// Searches output for secrets: a code, digest, salt or key, in each form in which users and
// programs write one.
import { inspect } from 'node:util';

/** A shorter secret would match by chance. */
const MIN_LENGTH = 8;

export class Canary {
  /** Forms that are searched in the output as it is. */
  private readonly exact = new Forms();
  /** Forms that are searched without case and without any characters between letters and digits. */
  private readonly loose = new Forms();

  /** Adds a backup code as it is shown. Findings have `name` in place of the code. */
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

  /** Adds a digest, salt or key. */
  addBytes(secret: Uint8Array, name: string): void {
    const bytes = Buffer.from(secret);
    this.addEncoded(bytes, name);
    this.addBase64(Buffer.from(bytes.toString('hex')), name);
    this.exact.add(bytes.toString('latin1'), `${name}, as bytes`);
    this.loose.add(Buffer.from(bytes).reverse().toString('hex'), `${name}, reversed`);
  }

  /** @returns each secret that the string contains, with its form */
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
    // JSON writes a typed array as {"0":12,"1":240}.
    this.loose.add(
      Array.from(bytes, (byte, index) => `${index}${byte}`).join(''),
      `${name}, as numbers`,
    );
    this.addBase64(bytes, name);
  }

  /** Adds base64 at each offset, without the characters that depend on neighbouring bytes. */
  private addBase64(bytes: Buffer, name: string): void {
    for (const before of [0, 1, 2]) {
      const from = Math.ceil((before * 8) / 6);
      const to = Math.floor(((before + bytes.length) * 8) / 6);
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

/** Forms by their first characters, so that a string is read once for any number of forms. */
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

/** All forms in which a log, a debugger or an error page shows a value. */
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
