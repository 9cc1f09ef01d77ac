/** What is left of a name or mail address when case does not count. */
export function withoutCase(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

/** By name as people read it, `Dose 2` before `Dose 10`, and not as the database's locale has it; then by id. */
export function byName<T extends { name: string; id: number }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => COLLATOR.compare(a.name, b.name) || a.id - b.id);
}
