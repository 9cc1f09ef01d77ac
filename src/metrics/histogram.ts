import hdr, { type Histogram, type JsHistogram } from 'hdr-histogram-js';

/** Durations are tracked from 1 us to 1 h; longer ones count as 1 h. */
export const MAX_TRACKED_US = 3_600_000_000;

/** Two significant digits: buckets are at most 1/128 of their value wide, so the error is below 1 %. */
const SIGNIFICANT_DIGITS = 2;

/** A distribution of durations in whole microseconds. Percentiles come from merged histograms, never from averages. */
export interface DurationHistogram {
  readonly count: number;
  /** Well under a microsecond. */
  record(durationUs: number): void;
  /** Adds the counts of another. */
  merge(other: DurationHistogram): void;
  /** Upper end of the bucket that the percentile (0 to 100) falls in; null without values. */
  percentileUs(percentile: number): number | null;
  /** How many values are at most as large as each limit (microseconds, ascending), by the bucket they fall in. */
  countsUpTo(limitsUs: readonly number[]): number[];
  reset(): void;
  /** HdrHistogram's V2 format, compressed, base64. */
  encode(): string;
}

class HdrDurations implements DurationHistogram {
  readonly hdr: Histogram;

  constructor(histogram: Histogram) {
    this.hdr = histogram;
  }

  get count(): number {
    return this.hdr.totalCount;
  }

  record(durationUs: number): void {
    this.hdr.recordValue(
      durationUs < 1 ? 1 : durationUs > MAX_TRACKED_US ? MAX_TRACKED_US : Math.round(durationUs),
    );
  }

  merge(other: DurationHistogram): void {
    if (other instanceof HdrDurations) this.hdr.add(other.hdr);
  }

  percentileUs(percentile: number): number | null {
    return this.count === 0 ? null : this.hdr.getValueAtPercentile(percentile);
  }

  countsUpTo(limitsUs: readonly number[]): number[] {
    const counts = limitsUs.map(() => 0);
    // Without WebAssembly, which is not used here, it is one of these.
    const { recordedValuesIterator: recorded } = this.hdr as JsHistogram;
    recorded.reset();
    for (let at = 0, sum = 0; at < limitsUs.length; ) {
      const next = recorded.hasNext() ? recorded.next() : null;
      while (at < limitsUs.length && (next?.valueIteratedTo ?? Infinity) > limitsUs[at]!) counts[at++] = sum;
      sum += next?.countAddedInThisIterationStep ?? 0;
    }
    return counts;
  }

  reset(): void {
    this.hdr.reset();
  }

  encode(): string {
    return hdr.encodeIntoCompressedBase64(this.hdr);
  }
}

export function createHistogram(): DurationHistogram {
  return new HdrDurations(
    hdr.build({
      bitBucketSize: 32,
      autoResize: false,
      lowestDiscernibleValue: 1,
      highestTrackableValue: MAX_TRACKED_US,
      numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    }),
  );
}

/** Reads what `encode` wrote. */
export function decodeHistogram(encoded: string): DurationHistogram {
  return new HdrDurations(hdr.decodeFromCompressedBase64(encoded, 32, false));
}
