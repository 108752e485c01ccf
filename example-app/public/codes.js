// The buttons under new backup codes: copy, download, print. The script sends the codes nowhere and
// stores them nowhere.
'use strict';

{
  const sheet = document.getElementById('sheet');
  const kept = document.getElementById('kept');
  const list = sheet.querySelector('ol');

  /** The sheet as text, one code a line. */
  const formatSheet = () => {
    const lines = [...sheet.querySelectorAll('[data-line]')].map((line) => line.textContent.trim());
    const codes = [...list.querySelectorAll('code')].map((code) => code.textContent);
    return [...lines, '', ...codes, ''].join('\n');
  };

  document.getElementById('copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(formatSheet());
      kept.textContent = 'Copied. Paste them into your password manager now.';
    } catch {
      // Refused or unavailable: browsers offer the clipboard only over HTTPS.
      getSelection().selectAllChildren(list);
      kept.textContent =
        'Your browser does not let this page copy. The codes are selected: copy them yourself.';
    }
  });

  document.getElementById('download').addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([formatSheet()], { type: 'text/plain' }));
    link.download = 'backup-codes.txt';
    link.click();
    // Some browsers first ask where to save the file.
    setTimeout(() => URL.revokeObjectURL(link.href), 40_000);
    kept.textContent = 'Downloaded. Move the file to a safe place, not one that others can read.';
  });

  document.getElementById('print').addEventListener('click', () => print());

  // Removes the codes before the browser can cache this page for "back".
  addEventListener('pagehide', () => list.replaceChildren());

  document.getElementById('keep').hidden = false;
}
