/**
 * Parser of one socket table. From one reading to the next most lines stay the same, and each of these keeps its row: the same object,
 * see `runtime/unchanged.ts`.
 */
import type { Family, Protocol } from '../model/model.js';
import { createLineParser, type ParsedLine, type SocketRow } from './table.js';

/** One reading of a table. Never changed. */
export interface SocketTable {
  /** Listeners only: unconnected UDP sockets and TCP sockets in LISTEN; one row per inode. */
  rows: readonly SocketRow[];
  /** 1-based numbers of lines that could not be read. */
  badLines: readonly number[];
  bytes: Buffer;
  lines: readonly ParsedLine[];
  /** Where each line ends in `bytes`, behind its line feed. */
  ends: readonly number[];
}

const LINE_FEED = 10;
const NOTHING: SocketTable = { rows: [], badLines: [], bytes: Buffer.alloc(0), lines: [], ends: [] };

/** `before`: an earlier reading of the same table. `littleEndian`: the byte order of the host that wrote it. */
export function parseSocketTable(
  bytes: Buffer,
  protocol: Protocol,
  family: Family,
  { before = NOTHING, littleEndian = true }: { before?: SocketTable | undefined; littleEndian?: boolean } = {},
): SocketTable {
  if (before.bytes === bytes || before.bytes.equals(bytes)) return before;
  const parse = createLineParser(protocol, family, littleEndian);
  const earlier = createFinder(before);
  const lines: ParsedLine[] = [];
  const ends: number[] = [];
  for (let from = 0; from < bytes.length; ) {
    let to = earlier.endOf(bytes, from);
    if (to !== undefined) {
      lines.push(earlier.take());
    } else {
      const feed = bytes.indexOf(LINE_FEED, from);
      const text = bytes.toString('latin1', from, feed < 0 ? bytes.length : feed);
      // The first line has the titles.
      lines.push(lines.length === 0 || text === '' ? 'other' : earlier.unlessChanged(parse(text)));
      to = feed < 0 ? bytes.length : feed + 1;
    }
    ends.push(to);
    from = to;
  }
  return { ...rowsOf(lines), bytes, lines, ends };
}

/** Finds the lines of an earlier reading in a later one, in which some are new, some changed, and some missing. */
function createFinder({ bytes: known, lines, ends }: SocketTable) {
  /** The line that is expected next. */
  let next = 0;
  /** Made where a line differs: the index of each row by its inode. */
  let byInode: Map<number, number> | undefined;

  function indexOf(inode: number): number | undefined {
    byInode ??= new Map(lines.flatMap((line, index) => (typeof line === 'object' ? [[line.inode, index]] : [])));
    return byInode.get(inode);
  }

  return {
    /** Where the line that starts at `from` ends, if it is the one expected next. */
    endOf(bytes: Buffer, from: number): number | undefined {
      const end = ends[next];
      if (end === undefined || known[end - 1] !== LINE_FEED) return undefined;
      const start = next === 0 ? 0 : ends[next - 1]!;
      const to = from + end - start;
      return to <= bytes.length && known.compare(bytes, from, to, start, end) === 0 ? to : undefined;
    },
    take: (): ParsedLine => lines[next++]!,
    /** The earlier row of that inode if it says the same. The line after it is expected next. */
    unlessChanged(line: ParsedLine): ParsedLine {
      const index = typeof line === 'object' ? indexOf(line.inode) : undefined;
      if (index === undefined) return line;
      next = index + 1;
      const before = lines[index]!;
      return isSameRow(before as SocketRow, line as SocketRow) ? before : line;
    },
  };
}

function isSameRow(a: SocketRow, b: SocketRow): boolean {
  return (
    a.receiveQueue === b.receiveQueue &&
    a.drops === b.drops &&
    a.port === b.port &&
    a.address === b.address &&
    a.uid === b.uid
  );
}

function rowsOf(lines: readonly ParsedLine[]): Pick<SocketTable, 'rows' | 'badLines'> {
  const rows: SocketRow[] = [];
  const badLines: number[] = [];
  const seen = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line === 'bad') badLines.push(index + 1);
    // The table may repeat a row while it changes.
    if (typeof line !== 'object' || seen.has(line.inode)) continue;
    seen.add(line.inode);
    rows.push(line);
  }
  return { rows, badLines };
}
