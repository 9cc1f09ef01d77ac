import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dicomDate, dicomTime, patientAge } from './time.ts';

describe('dates and times', () => {
  it('are written in UTC', () => {
    const ms = Date.UTC(2026, 1, 3, 4, 5, 6, 78);
    assert.equal(dicomDate(ms), '20260203');
    assert.equal(dicomTime(ms), '040506.078');
  });

  it('hold before 1970 too', () => {
    assert.equal(dicomTime(-1), '235959.999');
    assert.equal(dicomDate(-1), '19691231');
  });

  it('give an age in full years, and none for what is no birth date', () => {
    const at = Date.UTC(2026, 3, 11);
    assert.equal(patientAge('19650411', at), '061Y');
    assert.equal(patientAge('19650412', at), '060Y');
    assert.equal(patientAge('20270101', at), null);
    assert.equal(patientAge('', at), null);
  });
});
