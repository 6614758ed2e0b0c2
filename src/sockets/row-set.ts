/** The rows of one network namespace, from all its tables and readings. */
import { compareEndpoints, portKey } from '../model/endpoint.js';
import type { Protocol } from '../model/model.js';
import { addToGroup, type Groups } from '../runtime/group-by.js';
import { perObject } from '../runtime/unchanged.js';
import type { SocketRow } from './table.js';

/** Never changed. */
export interface RowSet {
  /** By protocol, port, address, inode. */
  rows: readonly SocketRow[];
  /** The same rows by protocol and port. */
  at: (protocol: Protocol, port: number) => readonly SocketRow[];
}

const NONE: readonly SocketRow[] = [];

/** Each inode once and as the last of the lists has it. */
export function rowSetOf(lists: readonly (readonly SocketRow[])[]): RowSet {
  const byInode = new Map<number, SocketRow>();
  for (const rows of lists) for (const row of rows) byInode.set(row.inode, row);
  const rows = [...byInode.values()].sort((a, b) => compareEndpoints(a, b) || a.inode - b.inode);
  const groups: Groups<number, SocketRow> = new Map();
  for (const row of rows) addToGroup(groups, portKey(row.protocol, row.port), row);
  return { rows, at: (protocol, port) => groups.get(portKey(protocol, port)) ?? NONE };
}

/** Rows of one table. */
export interface Rows {
  rows: readonly SocketRow[];
}

const together = perObject((_first: Rows, tables: readonly Rows[]) => rowSetOf(tables.map(({ rows }) => rows)));

/** The same object while the tables are the same. */
export function rowSetOfTables(tables: readonly Rows[]): RowSet {
  const [first] = tables;
  return first === undefined ? rowSetOf([]) : together(first, tables);
}
