import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { NAMESPACE_SIZE, type RunIdentity } from './identity.ts';
import { ageOf, patientAt, visitAt } from './population.ts';

const IDENTITY: RunIdentity = { seed: 7, namespace: 0, clockStartMs: Date.UTC(2026, 0, 5), uidRoot: null };

describe('patientAt', () => {
  it('marks every last name and writes names in upper case', () => {
    for (let index = 0; index < 500; index++) {
      const { lastName, firstName } = patientAt(IDENTITY, index);
      assert.match(lastName, /^ZZTEST-[A-Z'-]+$/);
      assert.match(firstName, /^[A-Z'-]+$/);
    }
    assert.match(patientAt(IDENTITY, 0, 'DEMO').lastName, /^DEMO-/);
  });

  it('writes real dates of birth in the past', () => {
    for (let index = 0; index < 2000; index++) {
      const patient = patientAt(IDENTITY, index);
      const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(patient.birthDate)!;
      const born = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
      assert.equal(born.toISOString().slice(0, 10), `${year}-${month}-${day}`);
      const age = ageOf(patient, IDENTITY.clockStartMs);
      assert.ok(age >= 0 && age <= 102, `${patient.birthDate} is ${age} years`);
    }
  });

  it('keeps a patient the same on a later day', () => {
    const later = { ...IDENTITY, clockStartMs: Date.UTC(2031, 5, 1) };
    assert.deepEqual(patientAt(later, 3), patientAt(IDENTITY, 3));
  });

  it('knows old people and children, women and men', () => {
    const patients = Array.from({ length: 3000 }, (_, index) => patientAt(IDENTITY, index));
    const ages = patients.map((patient) => ageOf(patient, IDENTITY.clockStartMs));
    const share = (some: boolean[]): number => some.filter(Boolean).length / some.length;
    assert.ok(share(ages.map((age) => age >= 60)) > 0.3);
    assert.ok(share(ages.map((age) => age < 18)) > 0.04);
    assert.ok(Math.abs(share(patients.map(({ sex }) => sex === 'F')) - 0.53) < 0.05);
  });

  it('is found again in the next block by its place in the seed', () => {
    const here = patientAt(IDENTITY, NAMESPACE_SIZE + 4);
    const there = patientAt({ ...IDENTITY, namespace: 1 }, 4);
    assert.deepEqual({ ...here, index: 4 }, there);
  });
});

describe('visitAt', () => {
  it('brings a new patient each time without returning visits', () => {
    for (let iteration = 1; iteration < 100; iteration++)
      assert.deepEqual(visitAt(IDENTITY, iteration, 0), { patientIndex: iteration - 1, priorIterations: [] });
  });

  it('brings back an earlier patient, whose earlier visits are of the same patient', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (iteration, share) => {
          const { patientIndex, priorIterations } = visitAt(IDENTITY, iteration, share);
          assert.deepEqual(
            priorIterations,
            priorIterations.toSorted((a, b) => a - b),
          );
          for (const prior of priorIterations) {
            assert.ok(prior < iteration);
            assert.equal(visitAt(IDENTITY, prior, share).patientIndex, patientIndex);
          }
        },
      ),
    );
  });

  it('makes about the share asked for return', () => {
    let returning = 0;
    for (let iteration = 1; iteration <= 5000; iteration++)
      if (visitAt(IDENTITY, iteration, 0.2).priorIterations.length > 0) returning++;
    assert.ok(Math.abs(returning / 5000 - 0.2) < 0.03, String(returning));
  });
});
