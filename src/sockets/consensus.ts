/**
 * Reads a socket table without losing rows. The kernel returns about 31 rows per read(2) and resumes by position, so a
 * socket that closes in between shifts a live one out of the result. When an expected row is missing the table is read
 * again, up to 8 times, and the readings are united by inode.
 */
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { portKey } from '../model/endpoint.js';
import type { Gap, Protocol } from '../model/model.js';
import { steadyMs } from '../runtime/clock.js';
import type { TableReading } from './reading.js';
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

export interface Consensus {
  rows: SocketRow[];
  /** The same rows by protocol and port. */
  at: (protocol: Protocol, port: number) => readonly SocketRow[];
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
export async function readUntilFound(
  read: (protocols: readonly Protocol[]) => TableReading | undefined,
  sought: readonly Sought[],
  known?: readonly SocketRow[],
): Promise<Consensus | undefined> {
  const first = read(known ? ['udp'] : ['udp', 'tcp']);
  if (first === undefined) return undefined;
  const union = createUnion();
  union.add(known ?? []);
  union.add(first.rows);
  const whole = new Set(first.whole);
  const started = steadyMs();
  let readings = 1;
  let missing = sought.filter((one) => !one.optional && !first.unread.includes(one.protocol) && !union.serves(one));
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
    union.add(again.rows);
    missing = missing.filter((one) => !union.serves(one));
  }
  return { rows: union.rows(), at: union.at, readings, unread: first.unread, gaps: first.gaps };
}

/** Rows of several readings, each inode once and as it was last seen. */
function createUnion() {
  const endpoints = new Map<number, Map<number, SocketRow>>();
  const at = (protocol: Protocol, port: number) => [...(endpoints.get(portKey(protocol, port))?.values() ?? [])];
  return {
    at,
    add(rows: readonly SocketRow[]) {
      for (const row of rows) {
        const key = portKey(row.protocol, row.port);
        const here = endpoints.get(key);
        if (here === undefined) endpoints.set(key, new Map([[row.inode, row]]));
        else here.set(row.inode, row);
      }
    },
    serves: ({ protocol, port, isServedBy }: Sought) => at(protocol, port).some(isServedBy),
    rows: () => [...endpoints.values()].flatMap((here) => [...here.values()]),
  };
}

/** An endpoint that is expected in a network namespace. */
export interface Wanted extends Sought {
  netns: number;
  /** Whether a row of that protocol and port would make the bind fail. */
  isBlockedBy?: (row: SocketRow) => boolean;
  /** The addresses of its network namespace are needed even if nothing is missing. */
  asksAddresses?: true;
}
