import { Readable } from 'node:stream';

/** Lines go out in pieces of about so many characters. */
const PIECE = 64 * 1024;

async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = '';
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/**
 * A stream that asks for rows as the client takes them. Its first piece is there when it resolves, so that a fault at
 * the beginning can still be answered.
 */
export async function openCsvStream(lines: AsyncIterable<string>): Promise<Readable> {
  const pieces = inPieces(lines);
  const first = await pieces.next();
  async function* all(): AsyncGenerator<string> {
    try {
      if (!first.done) yield first.value;
      yield* pieces;
    } finally {
      await pieces.return(undefined);
    }
  }
  return Readable.from(all(), { objectMode: false, highWaterMark: PIECE });
}
