/** Control characters and those that turn the direction of writing around. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}]+/gu;

/**
 * Text of a server as one line for a terminal: what could move the cursor, change colours or hide text becomes a
 * space.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ');
}

/** JSON in which nothing but printable characters, tabs and line ends is left unescaped. */
export function printableJson(value: unknown, indent: number): string {
  return JSON.stringify(value, null, indent).replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
