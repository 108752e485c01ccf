// How a page with the sheet on it is printed. Says nothing of the screen.

const SHEET = '[data-backup-codes="sheet"]';
/** Only where a document has a sheet; inside a shadow root it is out of reach of these, and the page prints as it is. */
const BODY = `:root:has(${SHEET}) body`;

/**
 * CSS by which a page prints its sheet and nothing around it, without buttons, black on white. The sheet brings it along; serve it
 * yourself for browsers that know no constructed style sheets.
 */
export const printStyles = `@media print {
${BODY}, :root:has(${SHEET}), ${BODY} :has(${SHEET}), ${BODY} ${SHEET} {
  display: block !important; position: static !important; float: none !important; overflow: visible !important;
  inline-size: auto !important; block-size: auto !important; max-inline-size: none !important; max-block-size: none !important;
  margin: 0 !important; padding: 0 !important; border: 0 !important; transform: none !important;
}
${BODY} :not(:has(${SHEET}), ${SHEET}, ${SHEET} *),
${SHEET} :is([data-backup-codes="actions"], [data-backup-codes="status"], [data-backup-codes="acknowledgement"]) { display: none !important; }
:root:has(${SHEET}) { color-scheme: light !important; }
:root:has(${SHEET}), ${BODY}, ${BODY} :has(${SHEET}), ${SHEET}, ${SHEET} * { color: #000 !important; background: none !important; box-shadow: none !important; }
${SHEET} [data-backup-codes="list"] { break-inside: avoid; }
${SHEET} [data-backup-codes="code"] { font-family: ui-monospace, monospace; font-size: 14pt; }
}`;
