// How a page that contains the sheet is printed. The styles do not change the screen.

const SHEET = '[data-backup-codes="sheet"]';
/**
 * Applies only if the document contains a sheet. These selectors do not reach into a shadow root.
 * A page with the sheet in one prints without changes.
 */
const PAGE = `:root:has(${SHEET})`;
const BODY = `${PAGE} body`;
const HIDDEN_PARTS = [
  '[data-backup-codes="actions"]',
  '[data-backup-codes="status"]',
  '[data-backup-codes="acknowledgement"]',
].join(', ');

/**
 * CSS with which a page prints its sheet and nothing around it, without buttons, in black on white.
 * The sheet adds it to the document. For browsers from before 2023, which do not know constructed
 * style sheets, you can serve this string as a style sheet of your own.
 *
 * @example
 * ```ts
 * import { printStyles } from 'passport-backup-code/react';
 *
 * app.get('/print.css', (req, res) => res.type('css').send(printStyles));
 * ```
 */
export const printStyles = `@media print {
${BODY}, ${PAGE}, ${BODY} :has(${SHEET}), ${BODY} ${SHEET} {
  display: block !important;
  position: static !important;
  float: none !important;
  overflow: visible !important;
  inline-size: auto !important;
  block-size: auto !important;
  max-inline-size: none !important;
  max-block-size: none !important;
  margin: 0 !important;
  padding: 0 !important;
  border: 0 !important;
  transform: none !important;
}
${BODY} :not(:has(${SHEET}), ${SHEET}, ${SHEET} *), ${SHEET} :is(${HIDDEN_PARTS}) {
  display: none !important;
}
${PAGE} {
  color-scheme: light !important;
}
${PAGE}, ${BODY}, ${BODY} :has(${SHEET}), ${SHEET}, ${SHEET} * {
  color: #000 !important;
  background: none !important;
  box-shadow: none !important;
}
${SHEET} [data-backup-codes="list"] {
  break-inside: avoid;
}
${SHEET} [data-backup-codes="code"] {
  font-family: ui-monospace, monospace;
  font-size: 14pt;
}
}`;
