import { Transform } from 'node:stream';

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

/** Cuts CSV (RFC 4180) into its records, bytes untouched; line ends within quotes are part of a record. */
export function csvRecords(keep: (record: Buffer, index: number) => boolean): Transform {
  let rest: Buffer[] = [];
  let quoted = false;
  let index = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let at = 0; at < chunk.length; at++) {
        const byte = chunk[at];
        if (byte === QUOTE) quoted = !quoted;
        if (byte !== LINE_FEED || quoted) continue;
        const record = Buffer.concat([...rest, chunk.subarray(start, at + 1)]);
        if (keep(record, index++)) this.push(record);
        rest = [];
        start = at + 1;
      }
      if (start < chunk.length) rest.push(chunk.subarray(start));
      done();
    },
    flush(done) {
      const record = Buffer.concat(rest);
      if (record.length > 0 && keep(record, index)) this.push(record);
      done();
    },
  });
}
