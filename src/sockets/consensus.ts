/**
 * Reads a socket table without losing rows. The kernel returns about 31 rows per read(2) and resumes by position, so a
 * socket that closes in between shifts a live one out of the result. When an expected row is missing the table is read
 * again, up to 8 times, and the readings are united by inode.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import type { Gap, Protocol } from '../model/model.js';
import { steadyMs } from '../runtime/clock.js';
import { perObject } from '../runtime/unchanged.js';
import type { TableReading } from './reading.js';
import { type RowSet, type Rows, rowSetOf, rowSetOfTables } from './row-set.js';
import type { SocketRow } from './table.js';

export const MOST_READINGS = 8;

export interface Sought {
  protocol: Protocol;
  port: number;
  /** Whether a row of that protocol and port serves the endpoint. */
  isServedBy: (row: SocketRow) => boolean;
  /** Milliseconds that the readings have to span before it counts as absent: a reload takes a port away for a moment. */
  spanMs?: number;
  /** The instance is down: report who holds the endpoint, but don't read again if nobody does. */
  optional?: true;
}

export interface Consensus<S extends Sought> {
  /** The same object while the tables are the same. */
  found: RowSet;
  /** What no row serves, without the optional. */
  absent: readonly S[];
  /** Readings made. */
  readings: number;
  unread: Protocol[];
  gaps: Gap[];
}

/**
 * Reads until everything sought is found or the limit is reached. A table that arrived in one read(2) cannot be torn, so
 * one reading decides unless the endpoint asks for a span of time. Other work may run between two readings.
 * `known`: rows of TCP that need not be read, see `row-memory.ts`.
 * Undefined: nothing could be read.
 */
export async function readUntilFound<S extends Sought>(
  read: (protocols: readonly Protocol[]) => TableReading | undefined,
  sought: readonly S[],
  known?: Rows,
): Promise<Consensus<S> | undefined> {
  const first = read(known ? ['udp'] : ['udp', 'tcp']);
  if (first === undefined) return undefined;
  const tables = known === undefined ? first.tables : [known, ...first.tables];
  let found = rowSetOfTables(tables);
  const whole = new Set(first.whole);
  const started = steadyMs();
  let readings = 1;
  let missing = absentFrom(found, sought).filter(({ protocol }) => !first.unread.includes(protocol));
  for (;;) {
    const elapsed = steadyMs() - started;
    missing = missing.filter(
      // On a busy machine two readings can fill the span; make as many as on an idle one.
      ({ protocol, spanMs = 0 }) =>
        elapsed < spanMs || (readings < MOST_READINGS && (spanMs > 0 || !whole.has(protocol))),
    );
    if (missing.length === 0) break;
    const longest = Math.max(...missing.map(({ spanMs = 0 }) => spanMs));
    if (longest > 0) await pause(Math.ceil(longest / (MOST_READINGS - 1)));
    else await nextTurn();
    const again = read([...new Set(missing.map(({ protocol }) => protocol))]);
    if (again === undefined) break;
    readings++;
    found = rowSetOf([found.rows, ...again.tables.map(({ rows }) => rows)]);
    missing = missing.filter((one) => !isServed(found, one));
  }
  return { found, absent: absentFrom(found, sought), readings, unread: first.unread, gaps: first.gaps };
}

function isServed(found: RowSet, { protocol, port, isServedBy }: Sought): boolean {
  return found.at(protocol, port).some(isServedBy);
}

const absentees = perObject((found: RowSet, sought: readonly Sought[]): readonly Sought[] =>
  sought.filter((one) => !one.optional && !isServed(found, one)),
);

function absentFrom<S extends Sought>(found: RowSet, sought: readonly S[]): readonly S[] {
  return absentees(found, sought) as readonly S[];
}

/** An endpoint that is expected in a network namespace. */
export interface Wanted extends Sought {
  netns: number;
  /** Whether a row of that protocol and port would make the bind fail. */
  isBlockedBy?: (row: SocketRow) => boolean;
  /** The addresses of its network namespace are needed even if nothing is missing. */
  asksAddresses?: true;
}
