/// <reference lib="dom" />
// What the sheet does with the browser: it copies, downloads and prints, adds a style sheet, and
// reports an error. It also listens to the page. No action stores a code in the page.

/**
 * How long the URL of a download stays valid. Some browsers first ask the user for a folder. The
 * file is in memory as long as its URL is valid, and never longer than the page.
 */
const DOWNLOAD_URL_LIFETIME_MS = 40_000;

/** @returns `false` if the browser refuses */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByCommand(text);
  }
}

/**
 * A page that was loaded without HTTPS has no `navigator.clipboard`. The older command still works
 * there. Safari needs a selection for it, so the page is selected for this moment. The listener
 * replaces what is copied.
 */
function copyByCommand(text: string): boolean {
  const stopListening = listen('copy', (event) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  const selection = getSelection();
  selection?.selectAllChildren(document.body);
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without HTTPS
    return document.execCommand('copy');
  } finally {
    selection?.removeAllRanges();
    stopListening();
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

/**
 * Adds a listener that runs before those of the page.
 *
 * @returns a function that removes it
 */
export function listen<Type extends keyof WindowEventMap>(
  type: Type,
  listener: (event: WindowEventMap[Type]) => void,
): () => void {
  addEventListener(type, listener, true);
  return () => removeEventListener(type, listener, true);
}
