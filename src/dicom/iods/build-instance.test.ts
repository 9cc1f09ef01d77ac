import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { studyFixture } from '../../../test/support/dicom-study.ts';
import { type DecodedDataSet, decodeDataSet, items, numbers, text } from '../dataset-decoder.ts';
import { createPixelPool } from '../pixels/pool.ts';
import type { StudyInput } from '../study.ts';
import { IMPLICIT_VR_LITTLE_ENDIAN, sopInstanceUid } from '../uids.ts';
import { type BuiltInstance, createInstanceBuilder } from './build-instance.ts';

const pool = createPixelPool();
const build = createInstanceBuilder(pool);
const PIXEL_DATA = 0x7fe0_0010;

function bytesOf(instance: BuiltInstance): Buffer {
  return Buffer.concat(instance.parts);
}

function decoded(instance: BuiltInstance): DecodedDataSet {
  return decodeDataSet(bytesOf(instance), 'explicit');
}

function pixelsOf(instance: BuiltInstance): Buffer {
  return decoded(instance).elements.get(PIXEL_DATA)!.bytes;
}

/** Values by tag, as deep as they go; the VR of what is read as Implicit VR is the dictionary's. */
function valuesOf({ elements }: DecodedDataSet): unknown[] {
  return [...elements].map(([tag, { bytes, items: nested }]) => [tag, nested ? nested.map(valuesOf) : bytes]);
}

const pt = (more: Partial<StudyInput> = {}): StudyInput =>
  studyFixture('PT', 'CHEST', [{ instanceCount: 40 }], more);
const first = (study: StudyInput, number = 1): BuiltInstance => build(study, study.series[0]!, number);

describe('an instance', () => {
  it('is the same bytes for the same inputs, from another pool and builder too', () => {
    const again = createInstanceBuilder(createPixelPool());
    const study = structuredClone(pt());
    assert.deepEqual(bytesOf(first(pt(), 7)), bytesOf(again(study, study.series[0]!, 7)));
    assert.deepEqual(first(pt(), 7).manifestDigest(), again(study, study.series[0]!, 7).manifestDigest());
  });

  it('does not depend on what was built before it', () => {
    const study = pt();
    const before = bytesOf(first(study, 3));
    first(study, 20);
    first(pt({ contentSeed: 9 }), 3);
    assert.deepEqual(bytesOf(first(study, 3)), before);
  });

  it('has other pixels than every other instance of its series', () => {
    const study = pt();
    const seen = new Set<string>();
    for (let number = 1; number <= 40; number++)
      seen.add(
        createHash('sha256')
          .update(pixelsOf(first(study, number)))
          .digest('hex'),
      );
    assert.equal(seen.size, 40);
  });

  it('holds the same elements when the VRs are implied', () => {
    for (const [modality, kind] of [
      ['CT', 'images'],
      ['US', 'images'],
      ['CT', 'dose-sr'],
      ['SR', 'report'],
    ] as const) {
      const study = studyFixture('CT', 'CHEST', [{ modality, kind, instanceCount: 2 }], {
        pixels: 'minimal',
      });
      const implicit = build(study, study.series[0]!, 2, 'implicit');
      assert.equal(implicit.transferSyntaxUid, IMPLICIT_VR_LITTLE_ENDIAN);
      assert.equal(implicit.sizeBytes, bytesOf(implicit).length);
      assert.deepEqual(
        valuesOf(decodeDataSet(bytesOf(implicit), 'implicit')),
        valuesOf(decoded(build(study, study.series[0]!, 2))),
      );
    }
  });

  it('has other bytes and another digest with another content seed', () => {
    assert.notDeepEqual(pixelsOf(first(pt())), pixelsOf(first(pt({ contentSeed: 43 }))));
    assert.notDeepEqual(first(pt()).manifestDigest(), first(pt({ contentSeed: 43 })).manifestDigest());
  });

  it('shares all pixels but a short patch with the pool, and counts its bytes', () => {
    const one = first(pt());
    assert.ok(one.parts[0]!.length < 4096);
    assert.ok(one.parts.length > 1);
    assert.equal(one.sizeBytes, bytesOf(one).length);
    for (const part of one.parts) assert.equal(part.length % 2, 0);
    const held = pool.sizeBytes;
    first(pt(), 2);
    assert.equal(pool.sizeBytes, held);
  });

  it('has a digest that differs when only a shared band differs', () => {
    const study = pt();
    const digests = new Set<string>();
    for (let number = 1; number <= 40; number++)
      digests.add(first(study, number).manifestDigest().toString('hex'));
    assert.equal(digests.size, 40);
  });

  it('carries the ids of patient, order and performed step', () => {
    const study = pt();
    const set = decoded(first(study));
    assert.equal(text(set, 'PatientID'), '00001234');
    assert.equal(text(set, 'AccessionNumber'), 'ACC00000001');
    assert.equal(text(set, 'SOPInstanceUID'), sopInstanceUid(study.series[0]!.seriesInstanceUid, 1));
    const [request] = items(set, 'RequestAttributesSequence');
    assert.equal(text(request!, 'RequestedProcedureID'), 'RP1');
    assert.equal(text(request!, 'ScheduledProcedureStepID'), 'SPS1');
    const [step] = items(set, 'ReferencedPerformedProcedureStepSequence');
    assert.equal(text(step!, 'ReferencedSOPInstanceUID'), study.mppsInstanceUid);
  });

  it('has no order attributes when there is no order', () => {
    const set = decoded(
      first(
        pt({
          requestedProcedureId: null,
          scheduledProcedureStepId: null,
          mppsInstanceUid: null,
          procedureCode: null,
        }),
      ),
    );
    assert.equal(items(set, 'RequestAttributesSequence').length, 0);
    assert.equal(items(set, 'ReferencedPerformedProcedureStepSequence').length, 0);
  });

  it('lies one slice spacing from its neighbour', () => {
    const study = studyFixture('MR', 'BRAIN', [{ instanceCount: 5, description: 'T1 AX' }], {
      pixels: 'minimal',
    });
    const z = [1, 2, 3, 4, 5].map(
      (number) => numbers(decoded(first(study, number)), 'ImagePositionPatient')[2]!,
    );
    const [spacing] = numbers(decoded(first(study)), 'SpacingBetweenSlices');
    for (let i = 1; i < z.length; i++) assert.ok(Math.abs(z[i]! - z[i - 1]! - spacing!) < 1e-6);
  });

  it('is a valid 8 by 8 image when pixels are minimal, with noise of its own', () => {
    const study = pt({ pixels: 'minimal', burnPatientInfo: true });
    const set = decoded(first(study));
    assert.deepEqual([numbers(set, 'Rows'), numbers(set, 'Columns')], [[8], [8]]);
    assert.equal(pixelsOf(first(study)).length, 128);
    assert.notDeepEqual(pixelsOf(first(study, 1)), pixelsOf(first(study, 2)));
    assert.equal(text(set, 'BurnedInAnnotation'), 'NO');
  });

  it('with burned-in text says so, and differs only in its first rows', () => {
    const clear = first(pt());
    const burned = first(pt({ burnPatientInfo: true }));
    assert.equal(text(decoded(clear), 'BurnedInAnnotation'), 'NO');
    assert.equal(text(decoded(burned), 'BurnedInAnnotation'), 'YES');
    const [a, b] = [pixelsOf(clear), pixelsOf(burned)];
    assert.equal(a.length, b.length);
    const changed = a.findLastIndex((byte, index) => byte !== b[index]);
    assert.ok(changed > 0 && changed < a.length / 3, `last change at ${changed} of ${a.length}`);
    assert.ok(b.includes(Buffer.from([0xff, 0xff])), 'white letters');
  });

  it('of another patient has other letters burned in', () => {
    const name = (value: string): Buffer =>
      pixelsOf(first(pt({ burnPatientInfo: true, patient: { ...pt().patient, name: value } })));
    assert.notDeepEqual(name('ZZTEST^ANNA'), name('ZZTEST^BERT'));
  });

  it('uses the configured UID root for what it derives', () => {
    const set = decoded(first(pt({ uidRoot: '1.2.826.0.1' })));
    assert.match(text(set, 'SOPInstanceUID')!, /^1\.2\.826\.0\.1\./);
    assert.match(text(set, 'FrameOfReferenceUID')!, /^1\.2\.826\.0\.1\./);
  });

  it('is refused when the series does not have it or has no images of its modality', () => {
    assert.throws(() => first(pt(), 41), /instance 41 is not one of its 40/);
    assert.throws(() => first(studyFixture('XA', 'CHEST', [{}])), /no images of modality XA are built/);
  });
});
