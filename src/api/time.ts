/** ISO 8601 in UTC with `Z`. */
export function at(ms: number): string {
  return new Date(ms).toISOString();
}

export function maybeAt(ms: number | null): string | null {
  return ms === null ? null : at(ms);
}
