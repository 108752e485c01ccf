// A login site with one page behind a guard, and how to read what the guard answers.
import type { RequestHandler } from 'express';
import type { Answer } from './browser';
import { LoginSite, type LoginSiteOptions } from './login-site';

/** Opens a site whose /guarded answers "in" to every request that the guard lets through. */
export function openGuardedSite(
  makeGuard: (now: () => number) => RequestHandler,
  options: LoginSiteOptions = {},
): Promise<LoginSite> {
  return LoginSite.open({
    ...options,
    routes: (app, { now }) => app.all('/guarded', makeGuard(now), (_req, res) => res.send('in')),
  });
}

export function expectIn(answer: Answer): void {
  expect([answer.status, answer.body]).toEqual([200, 'in']);
}

/** Returns the parameters of a Bearer challenge: RFC 9110, section 11.6.1. */
export function challengeOf(answer: Answer): Record<string, string> {
  const header = answer.headers.get('www-authenticate')!;
  const parameter = /^([a-z_]+)="((?:[^"\\]|\\.)*)"$/;
  expect(header).toMatch(/^Bearer /);
  return Object.fromEntries(
    header
      .slice('Bearer '.length)
      .split(/, (?=[a-z_]+=)/)
      .map((part) => parameter.exec(part)!.slice(1)) as [string, string][],
  );
}
