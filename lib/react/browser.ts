/// <reference lib="dom" />
// What the sheet does with the browser: it copies, downloads and prints, adds a style sheet, and
// reports an error. No action stores a code in the page.

/**
 * How long the URL of a download stays valid. Some browsers first ask the user for a folder. The
 * file is in memory as long as its URL is valid, and never longer than the page.
 */
const DOWNLOAD_URL_LIFETIME_MS = 40_000;

/** @returns `false` if the browser refuses. A page without HTTPS has no clipboard at all. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function downloadText(text: string, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_URL_LIFETIME_MS);
}

export function printPage(): void {
  window.print();
}

/**
 * Reports an error as one that was not caught. In jsdom, in which many apps test their pages,
 * `reportError` does not exist and the error goes to the console.
 */
export function reportUncaught(error: unknown): void {
  // eslint-disable-next-line no-console -- jsdom has no other place for it
  const { reportError: report = console.error } = globalThis as Partial<typeof globalThis>;
  report(error);
}

/**
 * Adds a constructed style sheet to the document. It is not an element, so no content security
 * policy blocks it. Browsers from before 2023 ignore it.
 *
 * @returns a function that removes the style sheet
 */
export function addStyleSheet(css: string): () => void {
  if (!('adoptedStyleSheets' in document)) return () => undefined;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}
