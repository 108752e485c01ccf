// A browser at the HTTP level: keeps cookies, reads forms, and does not follow redirects.
import { generateSync } from 'otplib';
import type { Service } from './service';

/** What a visitor needs to know about a service. */
export interface Site {
  readonly url: string;
  /** The service's clock, in milliseconds since 1970. */
  now(): number;
  /** Sent with every request of every visitor. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly location: string | null;
  readonly text: string;
  readonly headers: Headers;
}

export const PASSWORD = 'correct horse battery staple';

export class Visitor {
  readonly site: Site;
  readonly cookies = new Map<string, string>();
  /** Sent with every request. */
  readonly headers: Record<string, string> = {};

  constructor(site: Site) {
    this.site = site;
  }

  async get(path: string): Promise<Answer> {
    return this.send(path, { method: 'GET' });
  }

  /** Fills in the form on `page` and posts it to `path`, by default the page itself. */
  async submit(page: string, fields: Record<string, string>, path = page): Promise<Answer> {
    const { text } = await this.get(page);
    return this.post(path, { _csrf: tokenIn(text), ...fields });
  }

  async post(path: string, fields: Record<string, string> | URLSearchParams): Promise<Answer> {
    return this.send(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async send(path: string, init: RequestInit): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...this.site.headers,
      ...this.headers,
      ...(cookie === '' ? {} : { cookie }),
      ...(init.headers as Record<string, string> | undefined),
    };
    const response = await fetch(this.site.url + path, { redirect: 'manual', ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '') this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
      headers: response.headers,
    };
  }

  sessionCookie(): string | undefined {
    return this.cookies.get('session');
  }

  /** A copy of the browser: a second tab, or a stolen cookie. */
  copy(): Visitor {
    const twin = new Visitor(this.site);
    for (const [name, value] of this.cookies) twin.cookies.set(name, value);
    return twin;
  }

  async isLoggedIn(): Promise<boolean> {
    return (await this.get('/account')).status === 200;
  }
}

/** A visitor who signed up as `username`. */
export async function signUp(site: Site, username = 'ada'): Promise<Visitor> {
  const visitor = new Visitor(site);
  expect(
    await visitor.submit('/signup', {
      username,
      email: `${username}@example.com`,
      password: PASSWORD,
    }),
  ).toMatchObject({ status: 303, location: '/account' });
  return visitor;
}

export interface Enrolled {
  readonly userId: string;
  readonly visitor: Visitor;
  readonly codes: string[];
  readonly totpSecret: string;
  /** An unused code of the authenticator app. It moves the clock forward to get one. */
  newTotp(): string;
}

/** A visitor with an authenticator app and ten backup codes. */
export async function enroll(service: Service, username = 'ada'): Promise<Enrolled> {
  const visitor = await signUp(service, username);
  const { codes, totpSecret } = await turnOnTotp(visitor);
  const newTotp = (): string => {
    service.forward(30);
    return totpAt(totpSecret, service.now());
  };
  const { userId } = service.events.findLast(({ type }) => type === 'activated')!;
  return { userId: userId!, visitor, codes, totpSecret, newTotp };
}

/**
 * Turns on an authenticator app for a logged-in visitor, and returns the ten codes that come with
 * it.
 */
export async function turnOnTotp(
  visitor: Visitor,
): Promise<{ codes: string[]; totpSecret: string }> {
  const totpSecret = secretIn((await visitor.get('/account/totp')).text);
  const answer = await visitor.submit('/account/totp', {
    code: totpAt(totpSecret, visitor.site.now()),
  });
  return { codes: await keepCodes(visitor, answer), totpSecret };
}

/** Saves and activates the codes on the page, and returns them. */
export async function keepCodes(visitor: Visitor, shown: Answer): Promise<string[]> {
  const codes = codesIn(shown.text);
  expect([shown.status, codes.length]).toEqual([200, 10]);
  const [, setId] = /name="setId" value="([^"]+)"/.exec(shown.text)!;
  const [, returnTo = ''] = /name="returnTo" value="([^"]+)"/.exec(shown.text) ?? [];
  const kept = await visitor.post('/account/codes/activate', {
    _csrf: tokenIn(shown.text),
    setId: setId!,
    returnTo,
    saved: 'yes',
  });
  expect(kept).toMatchObject({ status: 303, location: returnTo === '' ? '/account' : returnTo });
  return codes;
}

/** A visitor in another browser who gave the password only. */
export async function givePassword(site: Site, username = 'ada'): Promise<Visitor> {
  const visitor = new Visitor(site);
  expect(await visitor.submit('/login', { username, password: PASSWORD })).toMatchObject({
    status: 303,
    location: '/login/second-factor',
  });
  return visitor;
}

export function totpAt(secret: string, at: number): string {
  return generateSync({ secret, epoch: Math.floor(at / 1000) });
}

export function tokenIn(html: string): string {
  return /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

export function secretIn(html: string): string {
  return /<code class="secret">([A-Z2-7 ]+)<\/code>/.exec(html)![1]!.replaceAll(' ', '');
}

export function codesIn(html: string): string[] {
  return [...html.matchAll(/<li><code[^>]*>([^<]+)<\/code><\/li>/g)].map(([, code]) => code!);
}

/** The error message on the page. */
export function errorIn(html: string): string | undefined {
  return /<p class="error"[^>]*role="alert">([^<]*)<\/p>/.exec(html)?.[1];
}
