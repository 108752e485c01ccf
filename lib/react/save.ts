/// <reference lib="dom" />
// What the sheet asks of the browser: ways out of the page for codes (clipboard, file, printer), none of which leaves a trace in it; a style sheet; a report.

/** Some browsers first ask where to put a file. The text is in memory as long as its URL, and gone with the page at the latest. */
const FILE_LIFE_MS = 40_000;

/** @returns whether the clipboard took it; a page that is not served over HTTPS has none */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function download(text: string, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), FILE_LIFE_MS);
}

export function print(): void {
  window.print();
}

/** As an error that nobody caught; jsdom, in which apps test their pages, has no `reportError`. */
export function report(thrown: unknown): void {
  // eslint-disable-next-line no-console -- there is nowhere else to say it
  const { reportError: give = console.error } = globalThis as Partial<typeof globalThis>;
  give(thrown);
}

/**
 * Gives the document a style sheet, which no content security policy forbids: it is no element. Browsers of before 2023 have none of it.
 *
 * @returns what takes it away again
 */
export function addStyles(css: string): () => void {
  if (!('adoptedStyleSheets' in document)) return () => undefined;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet);
  };
}
