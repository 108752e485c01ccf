// Reads the characters of a text in the order that the browser draws them in.
import type { Locator } from 'playwright-core';

/** The text of each element, from the left edge of the screen to the right. */
export function drawnTexts(elements: Locator): Promise<string[]> {
  return elements.evaluateAll((found) =>
    found.map((element) => {
      const text = element.firstChild as Text;
      const glyphs = Array.from(text.data, (character, index) => {
        const range = document.createRange();
        range.setStart(text, index);
        range.setEnd(text, index + 1);
        return { character, left: range.getClientRects()[0]!.left };
      });
      return glyphs
        .sort((a, b) => a.left - b.left)
        .map(({ character }) => character)
        .join('');
    }),
  );
}
