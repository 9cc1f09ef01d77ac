import type { ImageModality } from '../study.ts';
import type { ImageIod } from './context.ts';
import { crIod } from './cr.ts';
import { ctIod } from './ct.ts';
import { dxIod } from './dx.ts';
import { mgIod } from './mg.ts';
import { mrIod } from './mr.ts';
import { nmIod } from './nm.ts';
import { ptIod } from './pt.ts';
import { rfIod } from './rf.ts';
import { usIod } from './us.ts';

export const IMAGE_IODS = {
  CT: ctIod,
  MR: mrIod,
  DX: dxIod,
  MG: mgIod,
  CR: crIod,
  US: usIod,
  RF: rfIod,
  NM: nmIod,
  PT: ptIod,
} as const satisfies Record<ImageModality, ImageIod>;
