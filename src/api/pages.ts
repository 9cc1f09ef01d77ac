export interface PagesOptions<Row> {
  pageSize: number;
  /** Of all pages together; null means all rows. */
  limit: number | null;
  /** From the newest on; `beforeId` is that of the oldest row so far. */
  read: (page: { beforeId?: number; limit: number }) => Promise<Row[]>;
  idOf: (row: Row) => number;
}

/** Rows from the newest to the oldest, one page at a time, so that memory does not grow with their number. */
export async function* pages<Row>({ pageSize, limit, read, idOf }: PagesOptions<Row>): AsyncGenerator<Row> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  let beforeId: number | undefined;
  while (left > 0) {
    const size = Math.min(pageSize, left);
    const rows = await read({ limit: size, ...(beforeId === undefined ? {} : { beforeId }) });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < size) return;
    left -= rows.length;
    beforeId = idOf(last);
  }
}
