import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerError } from './answer-error.ts';

const refused = (status: number, body: unknown) =>
  answerError({
    method: 'POST',
    path: '/api/simulator/run',
    status,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

describe('the error of an answer', () => {
  const SAID: readonly [what: string, body: unknown, text: string][] = [
    ['error before all others', { message: 'b', error: 'a', msg: 'd', detail: 'c' }, 'a'],
    ['the first that is not empty', { error: '', message: null, detail: [], msg: 'd' }, 'd'],
    ['the answer itself when it has none of them', { reason: 'x' }, '{"reason":"x"}'],
    ['text that is no JSON', 'Bad Gateway', 'Bad Gateway'],
    ['which request it was when there is nothing', '', 'POST /api/simulator/run failed'],
  ];
  for (const [what, body, text] of SAID) {
    it(`says ${what}`, () => {
      const { code, message } = refused(409, body);
      assert.equal(code, 'SERVER_REFUSED');
      assert.equal(message, `${text}\n  (POST /api/simulator/run: 409)`);
    });
  }

  it('lists the faults of a validation, one a line, with their places', () => {
    const error = [
      { loc: ['body', 'patient_count'], msg: 'is not above 0', type: 'too_small' },
      { loc: [], msg: 'template 9 is not there', type: 'custom' },
    ];
    assert.equal(
      refused(422, { error, message: 'two faults', code: 'VALIDATION' }).message,
      [
        'the server found faults:',
        '  body.patient_count: is not above 0',
        '  template 9 is not there',
        '  (POST /api/simulator/run: 422 VALIDATION)',
      ].join('\n'),
    );
    assert.match(refused(422, { status: 'error', message: ['one', 'two'] }).message, /\n {2}one\n {2}two\n/);
  });

  it('lets no control character of a server through', () => {
    const { message } = refused(400, { error: 'no\x1b]0;title\u0007 such\nrun', code: '\x1b[31mX' });
    assert.equal(message, 'no ]0;title  such run\n  (POST /api/simulator/run: 400  [31mX)');
  });

  it('tells missing rights from missing credentials, and what may succeed later from the rest', () => {
    assert.match(refused(401, { error: 'no token' }).message, /^no token \(401\): run "yeeter login"/);
    assert.deepEqual(
      [401, 403, 404, 429, 500, 503].map((status) => [
        refused(status, {}).code,
        refused(status, {}).retryable,
      ]),
      [
        ['UNAUTHENTICATED', false],
        ['SERVER_REFUSED', false],
        ['SERVER_REFUSED', false],
        ['SERVER_REFUSED', true],
        ['SERVER_REFUSED', true],
        ['SERVER_REFUSED', true],
      ],
    );
  });
});
