// A client that keeps one cookie, for tests that send requests as a browser does.

/** An answer and its body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** Keeps one cookie, as a browser does, and does not follow redirects. */
export class Browser {
  constructor(
    readonly origin: string,
    public cookie?: string,
  ) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, { method: 'GET', headers });
  }

  post(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** Another browser with the same cookie: a second tab, or a thief. */
  copy(): Browser {
    return new Browser(this.origin, this.cookie);
  }

  private async fetch(
    path: string,
    init: { method: string; body?: string; headers: Record<string, string> },
  ): Promise<Answer> {
    const headers = {
      ...init.headers,
      ...(this.cookie === undefined ? {} : { cookie: this.cookie }),
    };
    const response = await fetch(this.origin + path, { ...init, headers, redirect: 'manual' });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.cookie = cookie.split(';')[0];
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text,
    };
  }
}
