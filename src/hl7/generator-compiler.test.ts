import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type CompiledGenerator, type CueCompiler, compileGenerator } from './generator-compiler.ts';
import { getValue, parseMessage } from './message.ts';

type Values = Record<string, string>;

const knows: CueCompiler<Values> = (cue) =>
  cue.startsWith('no')
    ? { ok: false, message: 'it is not known' }
    : { ok: true, render: (v) => v[cue] ?? '' };

const HEADER = 'MSH|^~\\&|YEETER|||||| ORM^O01|{$Faker.id}|T|2.5.1';

function compiled(content: string): CompiledGenerator<Values> {
  const result = compileGenerator(content, knows);
  assert.ok(result.ok, JSON.stringify(result));
  return result.generator;
}

function faultsOf(content: string): string[] {
  const result = compileGenerator(content, knows);
  assert.ok(!result.ok);
  for (const fault of result.faults) assert.equal(fault.code, 'GENERATOR_INVALID');
  return result.faults.map((fault) => fault.message);
}

describe('a generator', () => {
  it('renders its text with the values of its cues, segments ended by CR', () => {
    const generator = compiled(`\ufeff${HEADER}\r\n\nPID|1||{$Faker.mrn}^^^{$Faker.authority}\n`);
    assert.equal(generator.cueCount, 3);
    assert.equal(
      generator.render({ id: 'C1', mrn: '123', authority: 'YEETER' }),
      'MSH|^~\\&|YEETER|||||| ORM^O01|C1|T|2.5.1\rPID|1||123^^^YEETER\r',
    );
  });

  it('has the message type of its MSH-9', () => {
    assert.equal(compiled('MSH|^~\\&|||||||ADT^A04^ADT_A01|1|T|2.5.1').messageType, 'ADT^A04');
    assert.equal(compiled('MSH|^~\\&|||||||ADT^{$Faker.event}|1|T|2.5.1').messageType, null);
  });

  it('gives back any value through its escapes', () => {
    const generator = compiled(`${HEADER}\rOBX|1|TX|a^{$Faker.value}&b~c`);
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: fc.constantFrom(...'|^~\\&\r\n\v\u001cXé ') }), (value) => {
        const message = parseMessage(generator.render({ id: '1', value }));
        assert.equal(getValue(message, 'OBX-3.2'), value);
        assert.equal(getValue(message, 'OBX-3.2.2'), 'b');
        assert.equal(message.segments.length, 2);
      }),
    );
  });

  it('escapes for the delimiters of its own header', () => {
    const generator = compiled('MSH#*!?%#######ORM*O01#1#T#2.5.1\rZZZ#{$Faker.value}');
    assert.equal(generator.render({ value: 'a|b#c*d' }).split('\r')[1], 'ZZZ#a|b?F?c?S?d');
  });

  it('may hold braces and quotes within a literal of a cue', () => {
    const cue = `pick(elements=('}', "it's \\" }"))`;
    const generator = compiled(`${HEADER}\rZZZ|{$Faker.${cue}}|x`);
    assert.equal(generator.render({ id: '1', [cue]: 'ok' }).split('\r')[1], 'ZZZ|ok|x');
  });

  it('reports every fault at once, each with its cue and line', () => {
    const faults = faultsOf(
      'MSH|^~\\&|{$Faker.nope}||||||ORM^O01||T|\n\nPID|1|{$Faker.nothing}|{$Faker.fine}|{$Other.x}\nOBR|{$Faker.open\n  PV1|1',
    );
    assert.deepEqual(
      faults.map((fault) => fault.replace(/: write it.*|, like PID.*/, '')),
      [
        'line 1: cue {$Faker.nope}: it is not known',
        'line 1: MSH-10 (message control id) has no value',
        'line 1: MSH-12 (version) has no value',
        'line 3: cue {$Faker.nothing}: it is not known',
        'line 3: cue {$Other.x}: a cue begins with {$Faker.',
        'line 4: cue {$Faker.open: it has no closing brace on its line, or a quote is left open',
        'line 5: "  PV1|1" begins no segment: a line begins with three letters and |',
      ],
    );
  });

  const refused: [content: string, message: RegExp][] = [
    ['', /line 1: a message begins with an MSH segment, but this begins with nothing/],
    ['PID|1', /line 1: .*begins with "PID\|1"/],
    ['\n\nMSH|^^|', /line 3: .*different punctuation/],
    ['MSH{$Faker.a}^~\\&|', /line 1/],
    ['MSH|^~\\&|||||||ORM|1|T|2.5.1\rPID|||||Müller', /line 1: .*"ü".*MSH-18/],
    ['MSH|^~\\&|||||||ORM|1|T|2.5.1||||||BIG-5', /line 1: .*BIG-5/],
  ];
  for (const [content, message] of refused) {
    it(`is refused when it is ${JSON.stringify(content)}`, () => {
      const faults = faultsOf(content);
      assert.equal(faults.length, 1);
      assert.match(faults[0]!, message);
    });
  }

  it('may leave its character set to a cue', () => {
    const generator = compiled('MSH|^~\\&|||||||ORM|1|T|2.5.1||||||{$Faker.charset}\rPID|||||Müller');
    assert.match(generator.render({ charset: '8859/1' }), /8859\/1\rPID\|\|\|\|\|Müller\r$/);
  });
});
