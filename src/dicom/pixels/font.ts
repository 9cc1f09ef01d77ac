/** A bitmap font of 5 x 7 dots: seven rows a letter, the leftmost dot is the bit 16. */
const GLYPHS: Readonly<Record<string, readonly number[]>> = {
  A: [14, 17, 17, 31, 17, 17, 17],
  B: [30, 17, 30, 17, 17, 17, 30],
  C: [14, 17, 16, 16, 16, 17, 14],
  D: [30, 17, 17, 17, 17, 17, 30],
  E: [31, 16, 30, 16, 16, 16, 31],
  F: [31, 16, 30, 16, 16, 16, 16],
  G: [14, 17, 16, 23, 17, 17, 14],
  H: [17, 17, 31, 17, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  J: [7, 2, 2, 2, 2, 18, 12],
  K: [17, 18, 28, 20, 18, 18, 17],
  L: [16, 16, 16, 16, 16, 16, 31],
  M: [17, 27, 21, 21, 17, 17, 17],
  N: [17, 25, 21, 19, 17, 17, 17],
  O: [14, 17, 17, 17, 17, 17, 14],
  P: [30, 17, 17, 30, 16, 16, 16],
  Q: [14, 17, 17, 17, 21, 18, 13],
  R: [30, 17, 17, 30, 20, 18, 17],
  S: [15, 16, 14, 1, 1, 17, 14],
  T: [31, 4, 4, 4, 4, 4, 4],
  U: [17, 17, 17, 17, 17, 17, 14],
  V: [17, 17, 17, 17, 17, 10, 4],
  W: [17, 17, 17, 21, 21, 27, 17],
  X: [17, 10, 4, 4, 4, 10, 17],
  Y: [17, 10, 4, 4, 4, 4, 4],
  Z: [31, 1, 2, 4, 8, 16, 31],
  0: [14, 17, 19, 21, 25, 17, 14],
  1: [4, 12, 4, 4, 4, 4, 14],
  2: [14, 17, 1, 6, 8, 16, 31],
  3: [30, 1, 1, 14, 1, 1, 30],
  4: [2, 6, 10, 18, 31, 2, 2],
  5: [31, 16, 30, 1, 1, 17, 14],
  6: [6, 8, 16, 30, 17, 17, 14],
  7: [31, 1, 2, 4, 8, 8, 8],
  8: [14, 17, 14, 17, 17, 17, 14],
  9: [14, 17, 17, 15, 1, 2, 12],
  '-': [0, 0, 0, 31, 0, 0, 0],
  '.': [0, 0, 0, 0, 0, 12, 12],
  '/': [1, 2, 2, 4, 8, 8, 16],
  ':': [0, 12, 12, 0, 12, 12, 0],
  "'": [4, 4, 8, 0, 0, 0, 0],
  '?': [14, 17, 1, 6, 4, 0, 4],
  _: [0, 0, 0, 0, 0, 0, 31],
};

const ADVANCE = 6;
const DOTS = 5;
/** Dots from one line to the next. */
export const LINE_HEIGHT = 9;

/** The letter that stands for one the font lacks. */
const UNKNOWN = GLYPHS['?']!;

/**
 * Plots the dots of a line of text. Accents are dropped; letters of other scripts show as question marks.
 * @param scale edge of a dot in pixels
 */
export function drawText(
  line: string,
  left: number,
  top: number,
  scale: number,
  plot: (x: number, y: number) => void,
): void {
  const letters = line.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase();
  let x = left;
  for (const letter of letters) {
    if (letter !== ' ') drawGlyph(GLYPHS[letter] ?? UNKNOWN, x, top, scale, plot);
    x += ADVANCE * scale;
  }
}

function drawGlyph(
  rows: readonly number[],
  left: number,
  top: number,
  scale: number,
  plot: (x: number, y: number) => void,
): void {
  for (let y = 0; y < rows.length * scale; y++)
    for (let x = 0; x < DOTS * scale; x++)
      if ((rows[Math.floor(y / scale)]! >> (DOTS - 1 - Math.floor(x / scale))) & 1) plot(left + x, top + y);
}
