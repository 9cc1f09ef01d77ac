import type { DataSet } from '../dataset.ts';
import type { Region } from '../pixels/region.ts';
import { code } from './common.ts';

/** Anatomic regions (PS3.16 CID 4031), SNOMED CT. */
const REGION_CODES: Record<Region, DataSet> = {
  head: code('69536005', 'SCT', 'Head'),
  chest: code('51185008', 'SCT', 'Chest'),
  abdomen: code('818983003', 'SCT', 'Abdomen'),
  pelvis: code('816092008', 'SCT', 'Pelvis'),
  spine: code('421060004', 'SCT', 'Spine'),
  hand: code('85562004', 'SCT', 'Hand'),
  knee: code('72696002', 'SCT', 'Knee'),
  breast: code('76752008', 'SCT', 'Breast'),
  wholebody: code('38266002', 'SCT', 'Entire body'),
};

export function anatomicRegion(region: Region): DataSet {
  return REGION_CODES[region];
}
