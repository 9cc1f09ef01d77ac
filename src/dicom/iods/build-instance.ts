import { createHash, hash } from 'node:crypto';
import { YeeterError } from '../../lib/errors.ts';
import { hash32 } from '../../lib/rng.ts';
import { DataSetWriter, type Encoding, encodeShared, type SharedElements, writeMerged } from '../dataset.ts';
import { DICTIONARY } from '../dictionary.ts';
import { burnIn } from '../pixels/burn-in.ts';
import type { Band, PooledPicture } from '../pixels/drawn-picture.ts';
import { frameBytes } from '../pixels/format.ts';
import type { PixelPool } from '../pixels/pool.ts';
import { isImageModality, type SeriesInput, type StudyInput } from '../study.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SOP_CLASS, sopInstanceUid } from '../uids.ts';
import { basicTextSr } from './basic-text-sr.ts';
import { type ImageContext, type ImageIod, imageContext, seriesContext } from './context.ts';
import { radiationDoseSr } from './dose-sr.ts';
import { IMAGE_IODS } from './registry.ts';

/** One object, ready for the wire or a file; a pure function of study, series and instance number. */
export interface BuiltInstance {
  sopClassUid: string;
  sopInstanceUid: string;
  transferSyntaxUid: string;
  /** The data set in order. The first part is this instance's own, the others are pixel data shared from the pool. */
  parts: readonly Buffer[];
  sizeBytes: number;
  /** SHA-256 over the first part and the digests of the others: the instance's share of a manifest. */
  manifestDigest(): Buffer;
}

/**
 * Builds an object. Its cost is that of the few elements that differ within a series and of a short patch of noise;
 * what a series has in common is encoded at its first instance, and pixels come from the pool.
 * @param instanceNumber from 1 to the series' instance count
 * @param encoding Little Endian, with the VRs written or implied. @default explicit
 * @throws YeeterError DICOM_DATASET when a value breaks its VR, or when the series or number does not exist
 */
export type BuildInstance = (
  study: StudyInput,
  series: SeriesInput,
  instanceNumber: number,
  encoding?: Encoding,
) => BuiltInstance;

/** A builder over a pool. It remembers what a series shares for as long as the series' input is alive. */
export function createInstanceBuilder(pool: PixelPool): BuildInstance {
  const encoders = { explicit: encoder('explicit'), implicit: encoder('implicit') };
  return (study, series, instanceNumber, encoding = 'explicit') => {
    const { plans, writer } = encoders[encoding];
    if (!(Number.isInteger(instanceNumber) && instanceNumber >= 1 && instanceNumber <= series.instanceCount))
      throw new YeeterError(
        'DICOM_DATASET',
        `series ${series.seriesNumber}: instance ${instanceNumber} is not one of its ${series.instanceCount}`,
      );
    if (series.kind === 'report' || series.kind === 'dose-sr')
      return buildReport(writer, study, series, instanceNumber, encoding);
    let plan = plans.get(series);
    if (plan?.context.study !== study) {
      plan = planSeries(pool, study, series, encoding);
      plans.set(series, plan);
    }
    return buildImage(writer, plan, instanceNumber);
  };
}

interface Encoder {
  plans: WeakMap<SeriesInput, SeriesPlan>;
  writer: DataSetWriter;
}

function encoder(encoding: Encoding): Encoder {
  return { plans: new WeakMap(), writer: new DataSetWriter(encoding, 16_384) };
}

interface SeriesPlan {
  context: ImageContext;
  iod: ImageIod;
  shared: SharedElements;
  /** Null for minimal images, which are all patch. */
  picture: PooledPicture | null;
  pixelBytes: number;
}

function planSeries(pool: PixelPool, study: StudyInput, series: SeriesInput, encoding: Encoding): SeriesPlan {
  if (!isImageModality(series.modality))
    throw new YeeterError(
      'DICOM_DATASET',
      `series ${series.seriesNumber}: no images of modality ${series.modality} are built`,
    );
  const context = imageContext(study, series);
  const iod = IMAGE_IODS[series.modality];
  return {
    context,
    iod,
    shared: encodeShared(iod.shared(context), encoding),
    picture: study.pixels === 'minimal' ? null : pool.picture(study, series),
    pixelBytes: frameBytes(context.format) * context.format.frames,
  };
}

/** Pixels at the start of the first row that no other instance has. */
const PATCH_PIXELS = 32;

function buildImage(writer: DataSetWriter, plan: SeriesPlan, instanceNumber: number): BuiltInstance {
  const { context, iod, shared, picture, pixelBytes } = plan;
  const { study, series, format } = context;
  const seed = hash32(study.contentSeed, series.seriesInstanceUid, instanceNumber);
  const own = iod.own(context, instanceNumber);
  writer.reset();
  writeMerged(writer, shared, own);
  writer.header(DICTIONARY.PixelData[0], format.bitsAllocated === 8 ? 'OB' : 'OW', pixelBytes);
  const pixelsAt = writer.length;
  const bands = picture ? picture.bands(positionOf(picture, series, instanceNumber), seed) : [];
  const rest = writeFirstPixels(writer, plan, bands);
  const head = writer.toBuffer();
  patch(head, pixelsAt, format.bitsAllocated, seed);
  return built(iod.sopClassUid, own.SOPInstanceUID, shared.encoding, head, rest);
}

/** Writes the pixels that are this instance's own, and returns those that follow. */
function writeFirstPixels(writer: DataSetWriter, plan: SeriesPlan, bands: readonly Band[]): readonly Band[] {
  const { format, study, burnedIn } = plan.context;
  const first = bands[0];
  if (!first) {
    writer.raw(Buffer.alloc(plan.pixelBytes, MINIMAL_GREY));
    return [];
  }
  if (burnedIn) {
    const { bytes, rest } = burnIn(bands, format, study);
    writer.raw(bytes);
    return rest;
  }
  const patchBytes = PATCH_PIXELS * (format.bitsAllocated / 8);
  writer.raw(first.bytes, 0, patchBytes);
  return [{ bytes: first.bytes.subarray(patchBytes), digest: first.digest }, ...bands.slice(1)];
}

/** Spreads the positions of a picture over the instances of a series. */
function positionOf({ positions }: PooledPicture, series: SeriesInput, instanceNumber: number): number {
  // The first localizer is the frontal one, however many there are.
  if (series.kind === 'localizer') return (instanceNumber - 1) % positions;
  return Math.floor(((instanceNumber - 0.5) * positions) / series.instanceCount);
}

/** Sixteen-bit words of this value are mid grey at twelve bits. */
const MINIMAL_GREY = 0x08;

/** Sets the two low bits of the first pixels, which no other instance has in the same way. */
function patch(head: Buffer, pixelsAt: number, bitsAllocated: 8 | 16, seed: number): void {
  const step = bitsAllocated / 8;
  let bits = 0;
  for (let pixel = 0; pixel < PATCH_PIXELS; pixel++) {
    if (pixel % 16 === 0) bits = hash32(seed, 'patch', pixel);
    const at = pixelsAt + pixel * step;
    head[at] = (head[at]! & ~3) | (bits & 3);
    bits >>>= 2;
  }
}

function buildReport(
  writer: DataSetWriter,
  study: StudyInput,
  series: SeriesInput,
  instanceNumber: number,
  encoding: Encoding,
): BuiltInstance {
  const context = seriesContext(study, series);
  const dose = series.kind === 'dose-sr';
  writer.reset();
  writer.dataSet(dose ? radiationDoseSr(context, instanceNumber) : basicTextSr(context, instanceNumber));
  const uid = sopInstanceUid(series.seriesInstanceUid, instanceNumber, study.uidRoot ?? null);
  const sopClassUid = dose ? SOP_CLASS.radiationDoseSr : SOP_CLASS.basicTextSr;
  return built(sopClassUid, uid, encoding, writer.toBuffer(), []);
}

function built(
  sopClassUid: string,
  uid: string,
  encoding: Encoding,
  head: Buffer,
  bands: readonly Band[],
): BuiltInstance {
  const parts = [head];
  let sizeBytes = head.length;
  for (const { bytes } of bands) {
    if (bytes.length === 0) continue;
    parts.push(bytes);
    sizeBytes += bytes.length;
  }
  return {
    sopClassUid,
    sopInstanceUid: uid,
    transferSyntaxUid: encoding === 'explicit' ? EXPLICIT_VR_LITTLE_ENDIAN : IMPLICIT_VR_LITTLE_ENDIAN,
    parts,
    sizeBytes,
    manifestDigest: () => digestOf(head, bands),
  };
}

function digestOf(head: Buffer, bands: readonly Band[]): Buffer {
  if (bands.length === 0) return hash('sha256', head, 'buffer');
  const sum = createHash('sha256').update(head);
  for (const { digest } of bands) sum.update(digest);
  return sum.digest();
}
