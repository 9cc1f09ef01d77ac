import { parentPort } from 'node:worker_threads';
import { isImageModality } from '../study.ts';
import type { DrawRequest, DrawResponse } from './drawing-client.ts';
import { drawPixels } from './drawn-picture.ts';
import { pictureOf } from './picture.ts';

/** Draws on a thread of its own: a picture takes up to a second, which no wire should wait for. */
const port = parentPort!;

port.on('message', ({ id, study, series }: DrawRequest) => {
  const modality = isImageModality(series.modality) ? series.modality : 'CT';
  const drawn = drawPixels(pictureOf(study, series, modality));
  const response: DrawResponse = { id, drawn };
  port.postMessage(response, [drawn.pixels.buffer, drawn.digests.buffer]);
});
