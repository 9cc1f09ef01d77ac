import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACTIONS, EVENTS, STATES, transition } from './state-table.ts';

/**
 * PS3.8 Table 9-10 written as it is printed: a row an event, a column a state from Sta1 to Sta13. `-` is a
 * blank cell. Kept apart from the table under test on purpose.
 */
const PRINTED = `
Evt1  AE-1 -    -    -    -    -    -    -    -    -     -    -    -
Evt2  -    -    -    AE-2 -    -    -    -    -    -     -    -    -
Evt3  -    AA-1 AA-8 -    AE-3 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt4  -    AA-1 AA-8 -    AE-4 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt5  AE-5 -    -    -    -    -    -    -    -    -     -    -    -
Evt6  -    AE-6 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-7
Evt7  -    -    AE-7 -    -    -    -    -    -    -     -    -    -
Evt8  -    -    AE-8 -    -    -    -    -    -    -     -    -    -
Evt9  -    -    -    -    -    DT-1 -    AR-7 -    -     -    -    -
Evt10 -    AA-1 AA-8 -    AA-8 DT-2 AR-6 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt11 -    -    -    -    -    AR-1 -    -    -    -     -    -    -
Evt12 -    AA-1 AA-8 -    AA-8 AR-2 AR-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-6
Evt13 -    AA-1 AA-8 -    AA-8 AA-8 AR-3 AA-8 AA-8 AR-10 AR-3 AA-8 AA-6
Evt14 -    -    -    -    -    -    -    AR-4 AR-9 -     -    AR-4 -
Evt15 -    -    AA-1 AA-2 AA-1 AA-1 AA-1 AA-1 AA-1 AA-1  AA-1 AA-1 -
Evt16 -    AA-2 AA-3 -    AA-3 AA-3 AA-3 AA-3 AA-3 AA-3  AA-3 AA-3 AA-2
Evt17 -    AA-5 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4 AA-4  AA-4 AA-4 AR-5
Evt18 -    AA-2 -    -    -    -    -    -    -    -     -    -    AA-2
Evt19 -    AA-1 AA-8 -    AA-8 AA-8 AA-8 AA-8 AA-8 AA-8  AA-8 AA-8 AA-7
`;

test('every cell of the state table agrees with PS3.8 Table 9-10', () => {
  const rows = PRINTED.trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  assert.equal(rows.length, EVENTS.length);
  rows.forEach(([name, ...cells], row) => {
    assert.equal(cells.length, STATES.length, name);
    cells.forEach((cell, column) => {
      const found = transition(STATES[column]!, EVENTS[row]!, true);
      assert.equal(found?.action ?? '-', cell, `${name} in ${STATES[column]}`);
    });
  });
});

test('every action is reached from some cell, and each leads to one state but AE-6 and AR-8', () => {
  const nextOf = new Map<string, Set<string>>();
  for (const state of STATES) {
    for (const event of EVENTS) {
      for (const requestor of [true, false]) {
        for (const acceptable of [true, false]) {
          const found = transition(state, event, requestor, acceptable);
          if (found === null) continue;
          const seen = nextOf.get(found.action) ?? new Set();
          nextOf.set(found.action, seen.add(found.next));
        }
      }
    }
  }
  assert.deepEqual([...nextOf.keys()].sort(), [...ACTIONS].sort());
  for (const [action, next] of nextOf) {
    if (action === 'AE-6') assert.deepEqual([...next].sort(), ['Sta13', 'Sta3']);
    else if (action === 'AR-8') assert.deepEqual([...next].sort(), ['Sta10', 'Sta9']);
    else assert.equal(next.size, 1, action);
  }
});

test('a release collision parts the requestor from the acceptor', () => {
  assert.equal(transition('Sta7', 'release-rq-pdu', true)?.next, 'Sta9');
  assert.equal(transition('Sta7', 'release-rq-pdu', false)?.next, 'Sta10');
});
