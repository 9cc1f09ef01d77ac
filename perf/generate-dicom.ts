/**
 * How fast objects are built: `node perf/generate-dicom.ts [seconds]`.
 *
 * Warm: the pictures are there, as in a run; an instance is its data set's elements and a list of pooled buffers. The
 * rate in GB/s is what would have to be sent for it. The peer is a copy of the same bytes in memory, which is the least
 * that a generator without a pool would do. Cold: drawing the pictures of a modality once.
 */
import { createInstanceBuilder } from '../src/dicom/iods/build-instance.ts';
import { createPixelPool } from '../src/dicom/pixels/pool.ts';
import { IMAGE_MODALITIES, type ImageModality, type StudyInput } from '../src/dicom/study.ts';
import { studyFixture } from '../test/support/dicom-study.ts';

const BODY_PARTS: Record<ImageModality, string> = {
  CT: 'CHEST',
  MR: 'BRAIN',
  DX: 'CHEST',
  MG: 'BREAST',
  CR: 'HAND',
  US: 'ABDOMEN',
  RF: 'ABDOMEN',
  NM: 'WHOLEBODY',
  PT: 'CHEST',
};
const INSTANCES = 200;

interface Rate {
  perSecond: number;
  bytesPerSecond: number;
}

function measure(milliseconds: number, once: (number: number) => number): Rate {
  let count = 0;
  let bytes = 0;
  const start = performance.now();
  let end = start;
  while (end - start < milliseconds) {
    for (let i = 0; i < 20; i++) bytes += once((count++ % INSTANCES) + 1);
    end = performance.now();
  }
  const seconds = (end - start) / 1000;
  return { perSecond: count / seconds, bytesPerSecond: bytes / seconds };
}

function row(modality: ImageModality, milliseconds: number): Record<string, string> {
  const pool = createPixelPool();
  const build = createInstanceBuilder(pool);
  const study = studyFixture(modality, BODY_PARTS[modality], [{ instanceCount: INSTANCES }]);
  const series = study.series[0]!;
  const coldStart = performance.now();
  const largest = build(study, series, 1);
  const coldMs = performance.now() - coldStart;
  const target = Buffer.alloc(largest.sizeBytes + 256);
  const warm = (number: number): number => build(study, series, number).sizeBytes;
  measure(milliseconds / 4, warm);
  const built = measure(milliseconds, warm);
  const digested = measure(
    milliseconds / 2,
    (number) => build(study, series, number).manifestDigest().length,
  );
  const copied = measure(milliseconds / 2, (number) => {
    const { parts, sizeBytes } = build(study, series, number);
    let at = 0;
    for (const part of parts) at += part.copy(target, at);
    return sizeBytes;
  });
  return {
    modality,
    'kB/instance': (largest.sizeBytes / 1000).toFixed(0),
    'instances/s': built.perSecond.toFixed(0),
    'us/instance': (1e6 / built.perSecond).toFixed(1),
    'GB/s equivalent': (built.bytesPerSecond / 1e9).toFixed(1),
    'with digest, us': (1e6 / digested.perSecond).toFixed(1),
    'with a copy, us': (1e6 / copied.perSecond).toFixed(1),
    'cold draw, ms': coldMs.toFixed(0),
    'pool, MB': (pool.sizeBytes / 1e6).toFixed(0),
  };
}

function minimalRow(milliseconds: number): Record<string, string> {
  const build = createInstanceBuilder(createPixelPool());
  const study: StudyInput = studyFixture('CT', 'CHEST', [{ instanceCount: INSTANCES }], {
    pixels: 'minimal',
  });
  const once = (number: number): number => build(study, study.series[0]!, number).sizeBytes;
  measure(milliseconds / 4, once);
  const { perSecond } = measure(milliseconds, once);
  return { 'instances/s': perSecond.toFixed(0), 'us/instance': (1e6 / perSecond).toFixed(1) };
}

const milliseconds = Number(process.argv[2] ?? 1) * 1000;
console.table(IMAGE_MODALITIES.map((modality) => row(modality, milliseconds)));
console.log('minimal CT (8 x 8):');
console.table([minimalRow(milliseconds)]);
