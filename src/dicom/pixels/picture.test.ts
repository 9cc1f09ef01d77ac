import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { studyFixture } from '../../../test/support/dicom-study.ts';
import type { SeriesInput } from '../study.ts';
import { type Picture, pictureOf } from './picture.ts';

function picture(
  modality: 'CT' | 'MR' | 'US' | 'MG' | 'NM' | 'DX',
  bodyPart: string,
  series: Partial<SeriesInput> = {},
): Picture {
  const study = studyFixture(modality, bodyPart, [series]);
  return pictureOf(study, study.series[0]!, modality);
}

function brightHalf(shown: Picture): 'left' | 'right' {
  const { values, width } = shown.draw(0, 0);
  let balance = 0;
  values.forEach((value, index) => {
    balance += index % width < width / 2 ? value : -value;
  });
  return balance > 0 ? 'left' : 'right';
}

describe('pictures', () => {
  it('have the matrix and the depth of their modality', () => {
    const size = (of: Picture): number[] => [of.format.rows, of.format.columns, of.format.bitsAllocated];
    assert.deepEqual(size(picture('CT', 'CHEST')), [512, 512, 16]);
    assert.equal(picture('US', 'ABDOMEN').format.bitsAllocated, 8);
    for (const modality of ['DX', 'MG'] as const) {
      const { rows, columns } = picture(modality, modality === 'MG' ? 'BREAST' : 'CHEST').format;
      assert.ok(rows * columns > 4_000_000, modality);
    }
  });

  it('are shared by series that show the same', () => {
    assert.equal(
      picture('MR', 'BRAIN', { description: 'T1 AX' }).key,
      picture('MR', 'HEAD', { description: 'AX T1' }).key,
    );
    assert.notEqual(
      picture('MR', 'BRAIN', { description: 'T1 AX' }).key,
      picture('MR', 'BRAIN', { description: 'T2 AX' }).key,
    );
  });

  it('change from slice to slice', () => {
    const brain = picture('MR', 'BRAIN', { description: 'T2 AX' });
    assert.notDeepEqual(brain.draw(4, 0).values, brain.draw(8, 0).values);
  });

  it('are brighter on T2 than on T1 where there is fluid', () => {
    const middle = (weighting: string): number => {
      const canvas = picture('MR', 'BRAIN', { description: `${weighting} AX` }).draw(9, 0);
      return Math.max(
        ...canvas.values.filter((_, index) => Math.abs((index % canvas.width) - canvas.width / 2) < 20),
      );
    };
    assert.ok(middle('T2') > middle('T1'));
  });

  it('of a right breast have the chest wall at the right edge, of a left one at the left', () => {
    assert.equal(brightHalf(picture('MG', 'BREAST', { laterality: 'R', viewPosition: 'CC' })), 'right');
    assert.equal(brightHalf(picture('MG', 'BREAST', { laterality: 'L', viewPosition: 'MLO' })), 'left');
  });

  it('show a bone scan from the front and from the back', () => {
    const scan = picture('NM', 'WHOLEBODY');
    assert.equal(scan.format.frames, 2);
    assert.notDeepEqual(scan.draw(0, 0).values, scan.draw(0, 1).values);
  });

  it('stay within what the depth can hold', () => {
    for (const shown of [picture('US', 'ABDOMEN'), picture('DX', 'HAND')]) {
      const max = 2 ** shown.format.bitsStored - 1;
      assert.ok(shown.draw(0, 0).values.every((value) => value >= 0 && value <= max));
    }
  });
});
