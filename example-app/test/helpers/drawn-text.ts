// What a user sees of a text: its characters in the order in which the browser draws them.
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
