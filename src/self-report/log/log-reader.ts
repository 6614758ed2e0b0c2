/** Reads the log that a process has open through its descriptor: first the end of the file, then what was appended. */
import type { Gap, ProcessId } from '../../model/model.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { findLog, type OpenLog } from './find-log.js';
import { LONGEST_LINE, type LogFact, readLogLine } from './log-line.js';

export type LogPoll =
  /** It has no log file open: it logs elsewhere. */
  | { kind: 'none' }
  | { kind: 'failed'; gap: Gap }
  /**
   * `skipped`: more was appended than is read at once. `head`: facts of the beginning of the file, once, where `facts` are of
   * its end. `path`: as the process sees it.
   */
  | { kind: 'read'; facts: LogFact[]; skipped: boolean; head?: LogFact[]; path: string };

/** The first read needs one whole metrics line, which has 31 KB with 50 inputs; where it finds none, it reads more. */
const firstBytes = 256 * 1024;
const moreFirstBytes = 1024 * 1024;
const mostBytes = 1024 * 1024;
/** Seconds until a process without a log file is searched again. They double, since a new process has yet to write its first line. */
const shortestPatience = 2;
const longestPatience = 60;

/** What is known of the log of one process. */
interface Tracked {
  startTicks: number;
  /** Absent: the search at `searchedAt` found none. */
  log?: TrackedLog;
  searchedAt: number;
  patience: number;
  failed?: Gap;
}

interface TrackedLog extends Omit<OpenLog, 'size'> {
  /** Up to where it was read. */
  offset: number;
  /** The beginning of a line whose end is not written yet. */
  partialLine: Buffer;
  /** The next bytes are the end of a line that was dropped. */
  isTorn: boolean;
}

export interface LogReader {
  /** `logs`: `path.logs` as the process sees it, which is only a hint. */
  read(process: ProcessId, logs: string): LogPoll;
  keepOnly(pids: ReadonlySet<number>): void;
}

const nothing = Buffer.alloc(0);

/** `now`: seconds, never decreasing. */
export function createLogReader(procfs: ProcFs, now: () => number): LogReader {
  const tracked = new Map<number, Tracked>();

  function search({ pid, startTicks }: ProcessId, logs: string): Tracked {
    const before = tracked.get(pid);
    const isRetry = before?.startTicks === startTicks && before.log === undefined;
    const patience = isRetry ? Math.min(longestPatience, 2 * before.patience) : shortestPatience;
    const found = findLog(procfs, pid, logs);
    const result: Tracked = { startTicks, searchedAt: now(), patience };
    if (!found.ok) result.failed = found.gap;
    else if (found.value !== undefined) {
      const { size, ...file } = found.value;
      result.log = { ...file, offset: Math.max(0, size - firstBytes), partialLine: nothing, isTorn: false };
    }
    tracked.set(pid, result);
    return result;
  }

  function isCurrent({ startTicks, log, searchedAt, patience }: Tracked, process: ProcessId): boolean {
    return startTicks === process.startTicks && (log !== undefined || now() - searchedAt < patience);
  }

  return {
    read(process, logs) {
      const { pid } = process;
      let file = tracked.get(pid);
      let isFirst = file === undefined || !isCurrent(file, process);
      if (file === undefined || isFirst) file = search(process, logs);
      let stat = file.log && procfs.stat(`${pid}/fd/${file.log.descriptor}`);
      if (file.log && !(stat?.ok && stat.value.ino === file.log.ino && stat.value.dev === file.log.dev)) {
        // Rotated or closed: what was appended to the old file since the last scan cannot be read any more.
        file = search(process, logs);
        isFirst = true;
        stat = file.log && procfs.stat(`${pid}/fd/${file.log.descriptor}`);
      }
      if (file.failed !== undefined) return { kind: 'failed', gap: file.failed };
      if (file.log === undefined || stat === undefined) return { kind: 'none' };
      if (!stat.ok) return { kind: 'failed', gap: stat.gap };
      const result = readLog(procfs, pid, file.log, stat.value.size, isFirst);
      // Another kind of file: it is not read again until the next search.
      if (result.kind === 'none') delete file.log;
      return result;
    },
    keepOnly(pids) {
      for (const pid of tracked.keys()) if (!pids.has(pid)) tracked.delete(pid);
    },
  };
}

/** `isFirst`: the first read of this file. */
function readLog(procfs: ProcFs, pid: number, log: TrackedLog, size: number, isFirst: boolean): LogPoll {
  if (size < log.offset) seek(log, 0); // It was truncated.
  if (size === log.offset) return { kind: 'read', facts: [], skipped: false, path: log.path };
  if (!isFirst) return readAppended(procfs, pid, log, size, false);
  const head = size > firstBytes ? readHead(procfs, pid, log) : undefined;
  let result = readAppended(procfs, pid, log, size, true);
  if (head !== undefined && result.kind === 'read' && !result.facts.some(({ kind }) => kind === 'metrics')) {
    log.offset = Math.max(0, size - moreFirstBytes);
    log.partialLine = nothing;
    result = readAppended(procfs, pid, log, size, true);
  }
  return result.kind === 'read' && head !== undefined ? { ...result, head } : result;
}

function seek(log: TrackedLog, offset: number): void {
  log.offset = offset;
  log.partialLine = nothing;
  log.isTorn = false;
}

/** Facts of the first lines of a file of which only the end is read: some are written once, after the start. */
function readHead(procfs: ProcFs, pid: number, { descriptor }: TrackedLog): LogFact[] {
  const piece = procfs.bytes(`${pid}/fd/${descriptor}`, 0, firstBytes);
  if (!piece.ok) return [];
  const end = piece.value.lastIndexOf(10) + 1;
  const facts = piece.value.subarray(0, end).toString('utf8').split('\n').map(readLogLine);
  return facts.filter((fact) => fact !== undefined);
}

/** Reads whole lines from `offset` on, and keeps the beginning of the last one. `isCut`: `offset` may be inside a line. */
function readAppended(procfs: ProcFs, pid: number, log: TrackedLog, size: number, isCut: boolean): LogPoll {
  const skipped = size - log.offset > mostBytes;
  if (skipped) {
    log.offset = size - mostBytes;
    log.partialLine = nothing;
  }
  const from = log.offset;
  const piece = procfs.bytes(`${pid}/fd/${log.descriptor}`, from, size - from);
  if (!piece.ok) return { kind: 'failed', gap: piece.gap };
  log.offset = from + piece.value.length;
  const bytes = Buffer.concat([log.partialLine, piece.value]);
  const end = bytes.lastIndexOf(10) + 1;
  const partialLine = bytes.subarray(end);
  const isTooLong = partialLine.length > LONGEST_LINE;
  // A line that is too long is dropped, together with its end when that is written.
  log.partialLine = isTooLong ? nothing : Buffer.from(partialLine);
  const dropsFirstLine = ((isCut || skipped) && from > 0) || log.isTorn;
  if (end > 0 || isTooLong) log.isTorn = isTooLong;
  const lines = end === 0 ? [] : bytes.subarray(0, end).toString('utf8').split('\n');
  const facts: LogFact[] = [];
  for (const line of dropsFirstLine ? lines.slice(1) : lines) {
    const fact = readLogLine(line);
    if (fact?.kind === 'event-data') return { kind: 'none' };
    if (fact !== undefined) facts.push(fact);
  }
  return { kind: 'read', facts, skipped, path: log.path };
}
