// The buttons under new backup codes: copy, download, print. Sends the codes nowhere and keeps them
// nowhere.
'use strict';

{
  const sheet = document.getElementById('sheet');
  const kept = document.getElementById('kept');
  const list = sheet.querySelector('ol');

  /** What stands on the sheet, one code a line. */
  const asText = () => {
    const lines = [...sheet.querySelectorAll('[data-line]')].map((line) => line.textContent.trim());
    const codes = [...list.querySelectorAll('code')].map((code) => code.textContent);
    return [...lines, '', ...codes, ''].join('\n');
  };

  document.getElementById('copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(asText());
      kept.textContent = 'Copied. Paste them into your password manager now.';
    } catch {
      // Refused, or not to be had: browsers give it to pages over HTTPS alone.
      getSelection().selectAllChildren(list);
      kept.textContent =
        'Your browser does not let this page copy. The codes are selected: copy them yourself.';
    }
  });

  document.getElementById('download').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([asText()], { type: 'text/plain' }));
    link.download = 'backup-codes.txt';
    link.click();
    // Some browsers first ask where to put it.
    setTimeout(() => URL.revokeObjectURL(link.href), 40_000);
    kept.textContent = 'Downloaded. Move the file to a safe place, not one that others can read.';
  });

  document.getElementById('print').addEventListener('click', () => print());

  // Going back shows what the browser kept of a page. Let it have nothing to keep.
  addEventListener('pagehide', () => list.replaceChildren());

  document.getElementById('keep').hidden = false;
}
