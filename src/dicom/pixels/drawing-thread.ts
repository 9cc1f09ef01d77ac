import { parentPort } from 'node:worker_threads';
import { isImageModality } from '../study.ts';
import type { DrawRequest } from './drawing-client.ts';
import { drawPixels } from './drawn-picture.ts';
import { pictureOf } from './picture.ts';

/** Draws one picture after the other: each takes up to a second, which no wire should wait for. */
const port = parentPort!;

port.on('message', ({ study, series }: DrawRequest) => {
  const modality = isImageModality(series.modality) ? series.modality : 'CT';
  const drawn = drawPixels(pictureOf(study, series, modality));
  port.postMessage(drawn, [drawn.pixels.buffer, drawn.digests.buffer]);
});
