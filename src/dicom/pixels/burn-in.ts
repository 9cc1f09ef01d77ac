import { dicomDate } from '../iods/time.ts';
import type { StudyInput } from '../study.ts';
import type { Band } from './drawn-picture.ts';
import { drawText, LINE_HEIGHT } from './font.ts';
import type { PixelFormat } from './format.ts';

/** Patient name, id, date and the word TEST in the top left corner, as machines without an overlay write them. */

interface Burned {
  /** The first rows with the text: this study's own. */
  bytes: Buffer;
  /** The bands below, shared; the first is cut where the text ends. */
  rest: Band[];
}

const MARGIN = 4;
/** Text is drawn larger on larger images: one step for so many columns. */
const COLUMNS_PER_SCALE = 400;

export function burnIn(bands: readonly Band[], format: PixelFormat, study: StudyInput): Burned {
  const { columns, rows, bitsAllocated, bitsStored } = format;
  const lines = ['TEST', study.patient.name.replaceAll('^', ' '), study.patient.id, dicomDate(study.startMs)];
  const scale = Math.max(1, Math.round(columns / COLUMNS_PER_SCALE));
  const textRows = Math.min(rows, (2 * MARGIN + lines.length * LINE_HEIGHT) * scale);
  const { bytes, rest } = split(bands, textRows * columns * (bitsAllocated / 8));
  const white = 2 ** bitsStored - 1;
  const plot = (x: number, y: number): void => {
    const at = y * columns + x;
    if (x >= columns || y >= textRows) return;
    if (bitsAllocated === 8) bytes[at] = white;
    else bytes.writeUInt16LE(white, at * 2);
  };
  lines.forEach((line, index) => {
    drawText(line, MARGIN * scale, (MARGIN + index * LINE_HEIGHT) * scale, scale, plot);
  });
  return { bytes, rest };
}

/** A copy of the first bytes, and the bands after them. */
function split(bands: readonly Band[], count: number): Burned {
  const taken: Buffer[] = [];
  const rest: Band[] = [];
  let left = count;
  for (const band of bands) {
    const here = Math.min(left, band.bytes.length);
    if (here > 0) taken.push(band.bytes.subarray(0, here));
    if (here < band.bytes.length) rest.push({ ...band, bytes: band.bytes.subarray(here) });
    left -= here;
  }
  return { bytes: Buffer.concat(taken), rest };
}
