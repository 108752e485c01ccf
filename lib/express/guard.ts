// What the guards of this folder answer in the same way: which page to send to, and whether a page is wanted at all.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/** A client that asks for no HTML, or for JSON at least as much, is a program. */
export function wantsPage(req: Request): boolean {
  return !req.xhr && req.accepts(['json', 'html']) === 'html';
}

/** A path of this app, or a page elsewhere in full. @throws {BackupCodeError} `invalid_option` */
export function pageUrl(name: string, url: unknown): string | undefined {
  if (url === undefined) return undefined;
  if (typeof url !== 'string' || !/^(?:\/(?!\/)|https?:\/\/)[\x21-\x5b\x5d-\x7e]*$/.test(url)) {
    throw new BackupCodeError(
      'invalid_option',
      `${name} must be a path that begins with "/", or a URL that begins with "https://", but was ${typeof url === 'string' ? `"${url}"` : describe(url)}.`,
    );
  }
  return url;
}
