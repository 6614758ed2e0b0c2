/**
 * Counters that never fall: what a source counts starts at 0 with each process, entry or socket; what is told goes on. A row
 * is kept in the state file. Pure.
 */

export interface MonotonicRow {
  /** What is told. */
  total: number;
  /** What the source said last, and who the source was. */
  raw: number;
  of: string;
}

/**
 * `fresh`: a new source starts counting at 0, so all it says is new. Otherwise (another source about the same events) its
 * first word is where it begins. A value that fell is a source that began again.
 */
export function advanceRow(before: MonotonicRow | undefined, of: string, raw: number, fresh: boolean): MonotonicRow {
  if (before === undefined) return { total: raw, raw, of };
  if (before.of === of) {
    const more = raw >= before.raw ? raw - before.raw : raw;
    return more === 0 && raw === before.raw ? before : { total: before.total + more, raw, of };
  }
  return { total: before.total + (fresh ? raw : 0), raw, of };
}
