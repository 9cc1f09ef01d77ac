import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type DecodedDataSet, decodeDataSet, numbers, text } from '../../src/dicom/dataset-decoder.ts';
import { createInstanceBuilder } from '../../src/dicom/iods/build-instance.ts';
import { createPixelPool } from '../../src/dicom/pixels/pool.ts';
import {
  IMAGE_MODALITIES,
  type ImageModality,
  type SeriesInput,
  type StudyInput,
} from '../../src/dicom/study.ts';
import { writeStudy } from '../../src/dicom/write-study.ts';
import { CATALOGUE } from '../../src/domain/procedure-catalogue.ts';
import { deriveUid } from '../../src/lib/uid.ts';
import { studyFixture } from '../support/dicom-study.ts';
import { without } from '../support/services.ts';

const run = promisify(execFile);
const build = createInstanceBuilder(createPixelPool());
let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yeeter-iods-'));
});
after(() => rm(dir, { recursive: true }));

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function written(study: StudyInput): Promise<string[]> {
  const { directory, files } = await writeStudy(study, dir, build);
  const paths = await filesOf(directory);
  assert.equal(paths.length, files);
  return paths;
}

/** Lines of a validator that begin with Error; it ends with 1 when there are any, and says all on stderr. */
async function errorsOf(program: string, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await run(program, [...args]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  return `${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('Error'));
}

async function assertValid(study: StudyInput): Promise<void> {
  const files = await written(study);
  for (const file of files) assert.deepEqual(await errorsOf('dciodvfy', [file]), [], file);
  assert.deepEqual(await errorsOf('dcentvfy', files), []);
}

const REPORTS: Partial<SeriesInput>[] = [
  { modality: 'SR', kind: 'dose-sr', description: 'Dose Report' },
  { modality: 'SR', kind: 'report', description: 'Report' },
];

const STUDIES: Record<ImageModality, { bodyPart: string; series: Partial<SeriesInput>[] }> = {
  CT: {
    bodyPart: 'CHEST',
    series: [
      { kind: 'localizer', instanceCount: 2 },
      { instanceCount: 3, description: 'Axial' },
      { kind: 'reconstruction', instanceCount: 2, description: 'Coronal MPR' },
      ...REPORTS,
    ],
  },
  MR: {
    bodyPart: 'BRAIN',
    series: [
      { kind: 'localizer', instanceCount: 3 },
      { description: 'T1 SAG', instanceCount: 2 },
      ...REPORTS.slice(1),
    ],
  },
  DX: { bodyPart: 'CHEST', series: [{ viewPosition: 'PA' }, { viewPosition: 'LL' }, ...REPORTS.slice(1)] },
  CR: { bodyPart: 'HAND', series: [{ viewPosition: 'AP', laterality: 'L' }] },
  MG: {
    bodyPart: 'BREAST',
    series: [
      { viewPosition: 'CC', laterality: 'R' },
      { viewPosition: 'MLO', laterality: 'L' },
    ],
  },
  US: { bodyPart: 'ABDOMEN', series: [{ instanceCount: 2 }] },
  RF: { bodyPart: 'ABDOMEN', series: [{ instanceCount: 2 }] },
  NM: { bodyPart: 'WHOLEBODY', series: [{}] },
  PT: { bodyPart: 'CHEST', series: [{ instanceCount: 3 }] },
};

function studyOf(modality: ImageModality, more: Partial<StudyInput>): StudyInput {
  const { bodyPart, series } = STUDIES[modality];
  return studyFixture(modality, bodyPart, series, {
    studyInstanceUid: deriveUid(null, modality, JSON.stringify(more)),
    ...more,
  });
}

describe('dciodvfy and dcentvfy', { skip: without('dicom3tools') }, () => {
  for (const modality of IMAGE_MODALITIES) {
    it(`find no error in a ${modality} study with the pixels of the modality`, () =>
      assertValid(studyOf(modality, {})));

    it(`find no error in a minimal ${modality} study`, () =>
      assertValid(studyOf(modality, { pixels: 'minimal' })));
  }

  it('find no error when the patient is burned in, has a name of three scripts, and no order is known', () =>
    assertValid(
      studyOf('US', {
        burnPatientInfo: true,
        patient: {
          id: 'ÄÖÜ-1',
          issuer: 'YEETER',
          name: 'MÜLLER^JÖRG=山田^太郎=やまだ^たろう',
          birthDate: '20200229',
          sex: 'O',
        },
        procedureCode: null,
        requestedProcedureId: null,
        scheduledProcedureStepId: null,
        mppsInstanceUid: null,
        referringPhysician: null,
      }),
    ));

  it('find no error for any body part and side of the procedure catalogue', async () => {
    const seen = new Map<string, StudyInput>();
    for (const modality of IMAGE_MODALITIES)
      for (const { bodyPart, laterality } of CATALOGUE[modality]) {
        const key = `${modality} ${bodyPart} ${laterality}`;
        const series = [{ laterality, ...(modality === 'MG' ? { viewPosition: 'CC' } : {}) }];
        seen.set(
          key,
          studyFixture(modality, bodyPart, series, {
            pixels: 'minimal',
            studyInstanceUid: deriveUid(null, key),
          }),
        );
      }
    for (const [key, study] of seen)
      for (const file of await written(study)) assert.deepEqual(await errorsOf('dciodvfy', [file]), [], key);
  });
});

const PREAMBLE_BYTES = 132;
const META_LENGTH_ELEMENT_BYTES = 12;

/** The data set of a file, after its meta information. */
async function dataSetOf(file: string): Promise<Buffer> {
  const bytes = await readFile(file);
  const start = bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + META_LENGTH_ELEMENT_BYTES);
  const [length] = numbers(decodeDataSet(start, 'explicit'), 'FileMetaInformationGroupLength');
  return bytes.subarray(PREAMBLE_BYTES + META_LENGTH_ELEMENT_BYTES + length!);
}

function assertSameElements(a: DecodedDataSet, b: DecodedDataSet): void {
  assert.deepEqual([...a.elements.keys()], [...b.elements.keys()]);
  for (const [tag, element] of a.elements) {
    const other = b.elements.get(tag)!;
    assert.ok(element.bytes.equals(other.bytes), tag.toString(16));
    assert.equal(element.items?.length, other.items?.length);
    element.items?.forEach((item, index) => {
      assertSameElements(item, other.items![index]!);
    });
  }
}

describe('DCMTK', { skip: without('dcmtk') }, () => {
  it('reads every kind of object without a complaint, and dumps the names as they were given', async () => {
    const name = 'MÜLLER^JÖRG=山田^太郎';
    const study = studyOf('CT', {
      pixels: 'minimal',
      patient: { id: '1', issuer: 'Y', name, birthDate: '19700101', sex: 'M' },
    });
    for (const file of await written(study)) {
      const { stdout, stderr } = await run('dcmdump', ['+P', '0010,0010', file]);
      assert.match(stdout, new RegExp(name.replaceAll('^', '\\^')));
      assert.equal(stderr, '');
    }
  });

  for (const [form, options, encoding] of [
    ['Implicit VR with undefined lengths', ['+ti', '-e'], 'implicit'],
    ['Explicit VR with undefined lengths', ['+te', '-e'], 'explicit'],
    ['Implicit VR with defined lengths', ['+ti', '+e'], 'implicit'],
  ] as const)
    it(`converts our objects to ${form}, and we read back the same`, async () => {
      for (const file of await written(studyOf('CT', { pixels: 'minimal' }))) {
        await run('dcmconv', [...options, file, `${file}.converted`]);
        const converted = decodeDataSet(await dataSetOf(`${file}.converted`), encoding);
        assertSameElements(decodeDataSet(await dataSetOf(file), 'explicit'), converted);
        assert.equal(text(converted, 'PatientID'), '00001234');
        await rm(`${file}.converted`);
      }
    });
});
