/**
 * The log file that a process has open, found through its descriptors: no name of a file, no mount and no rotation rule is
 * needed. Only the end is read, then what was appended.
 */
import type { Gap, ProcessId, Reading } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import { LONGEST_LINE, type LogFact, readLogLine } from './log-line.js';

export type LogPoll =
  /** It has no log file open: its log goes elsewhere. */
  | { kind: 'none' }
  | { kind: 'failed'; gap: Gap }
  /**
   * `skipped`: more was appended than is read at once. `head`: of the beginning of the file, once, where `facts` are of its end.
   * `path`: as the process sees it.
   */
  | { kind: 'read'; facts: LogFact[]; skipped: boolean; head?: LogFact[]; path: string };

/** A first look needs one whole metrics line, which has 31 KB with 50 inputs. */
const firstBytes = 256 * 1024;
const moreFirstBytes = 1024 * 1024;
const mostBytes = 1024 * 1024;
const mostDescriptors = 4096;
/** Seconds before a process without a log file is asked again: more each time, since a new process has yet to write its first line. */
const shortestPatience = 2;
const longestPatience = 60;

interface Open {
  startTicks: number;
  /** Absent: none was found at `lookedAt`. */
  descriptor?: string;
  path: string;
  dev: number;
  ino: number;
  offset: number;
  /** The beginning of a line whose end is not there yet. */
  partialLine: Buffer;
  /** What comes next is the end of a line that was dropped. */
  torn: boolean;
  lookedAt: number;
  patience: number;
  failed?: Gap;
}

export interface LogReader {
  /** `logs`: where its configuration puts logs, as the process sees it; only a hint. */
  read(process: ProcessId, logs: string): LogPoll;
  /** Forgets all processes but these. */
  keepOnly(pids: ReadonlySet<number>): void;
}

const nothing = Buffer.alloc(0);

/** `now`: seconds, never going back. */
export function createLogReader(procfs: ProcFs, now: () => number): LogReader {
  const known = new Map<number, Open>();

  function open(process: ProcessId, logs: string, before?: Open): Open {
    const found = findLog(procfs, process.pid, logs);
    const patience =
      before?.startTicks === process.startTicks && before.descriptor === undefined
        ? Math.min(longestPatience, 2 * before.patience)
        : shortestPatience;
    const { pid: _, ...id } = process;
    const base = {
      ...id,
      path: '',
      dev: 0,
      ino: 0,
      offset: 0,
      partialLine: nothing,
      torn: false,
      lookedAt: now(),
      patience,
    };
    if (!found.ok) return { ...base, failed: found.gap };
    if (found.value === undefined) return base;
    const { size, ...file } = found.value;
    return { ...base, ...file, offset: Math.max(0, size - firstBytes) };
  }

  /** The first lines of a file of which only the end is read: some things are written once, after the start. */
  function headOf(file: Open, pid: number): LogFact[] {
    const piece = procfs.bytes(`${pid}/fd/${file.descriptor}`, 0, firstBytes);
    if (!piece.ok) return [];
    const end = piece.value.lastIndexOf(10) + 1;
    const facts = piece.value.subarray(0, end).toString('utf8').split('\n').map(readLogLine);
    return facts.filter((fact) => fact !== undefined);
  }

  /** The whole lines from `offset` on; the partialLine is kept for the next look. `first`: the piece begins within a line. */
  function take(file: Open, pid: number, size: number, first: boolean): LogPoll {
    let skipped = false;
    if (size - file.offset > mostBytes) {
      file.offset = size - mostBytes;
      file.partialLine = nothing;
      first = true;
      skipped = true;
    }
    const from = file.offset;
    const piece = procfs.bytes(`${pid}/fd/${file.descriptor}`, from, size - from);
    if (!piece.ok) return { kind: 'failed', gap: piece.gap };
    file.offset = from + piece.value.length;
    const bytes = Buffer.concat([file.partialLine, piece.value]);
    const end = bytes.lastIndexOf(10) + 1;
    // A line without end is dropped, and so is what follows of it.
    const partialLine = bytes.subarray(end);
    const isLong = partialLine.length > LONGEST_LINE;
    file.partialLine = isLong ? nothing : Buffer.from(partialLine);
    const cut = (first && from > 0) || file.torn;
    if (end > 0 || isLong) file.torn = isLong;
    const lines = end === 0 ? [] : bytes.subarray(0, end).toString('utf8').split('\n');
    const facts: LogFact[] = [];
    for (const line of cut ? lines.slice(1) : lines) {
      const fact = readLogLine(line);
      if (fact?.kind === 'event-data') {
        delete file.descriptor;
        return { kind: 'none' };
      }
      if (fact !== undefined) facts.push(fact);
    }
    return { kind: 'read', facts, skipped, path: file.path };
  }

  return {
    read(process, logs) {
      let file = known.get(process.pid);
      const { pid } = process;
      const reopen = (): Open => {
        const opened = open(process, logs, file);
        known.set(pid, opened);
        return opened;
      };
      let first = false;
      const waited = file !== undefined && file.descriptor === undefined && now() - file.lookedAt >= file.patience;
      if (file?.startTicks !== process.startTicks || waited) {
        file = reopen();
        first = true;
      }
      if (file.failed !== undefined) return { kind: 'failed', gap: file.failed };
      if (file.descriptor === undefined) return { kind: 'none' };
      let stat = procfs.stat(`${pid}/fd/${file.descriptor}`);
      if (!stat.ok || stat.value.ino !== file.ino || stat.value.dev !== file.dev) {
        // Rotated, or closed: what was appended to the old one since the last look is lost to us.
        file = reopen();
        first = true;
        if (file.failed !== undefined) return { kind: 'failed', gap: file.failed };
        if (file.descriptor === undefined) return { kind: 'none' };
        stat = procfs.stat(`${pid}/fd/${file.descriptor}`);
        if (!stat.ok) return { kind: 'failed', gap: stat.gap };
      }
      const { size } = stat.value;
      if (size < file.offset) {
        file.offset = 0;
        file.partialLine = nothing;
        file.torn = false;
      }
      if (size === file.offset) return { kind: 'read', facts: [], skipped: false, path: file.path };
      if (!first) return take(file, pid, size, false);
      const head = size > firstBytes ? headOf(file, pid) : undefined;
      let seen = take(file, pid, size, true);
      if (seen.kind === 'read' && size > firstBytes && !seen.facts.some(({ kind }) => kind === 'metrics')) {
        file.offset = Math.max(0, size - moreFirstBytes);
        file.partialLine = nothing;
        seen = take(file, pid, size, true);
      }
      return seen.kind === 'read' && head !== undefined ? { ...seen, head } : seen;
    },
    keepOnly(pids) {
      for (const pid of known.keys()) if (!pids.has(pid)) known.delete(pid);
    },
  };
}

interface Found {
  descriptor: string;
  path: string;
  dev: number;
  ino: number;
  size: number;
}

/**
 * The regular file that it has open for writing only and that holds lines of a log. The registry and the output's own file are
 * open in the same way, so the content decides; where several would do, one below `logs` goes first.
 */
function findLog(procfs: ProcFs, pid: number, logs: string): Reading<Found | undefined> {
  const names = procfs.list(`${pid}/fd`);
  // Who may not see its descriptors is told so by the owners of its sockets already.
  if (!names.ok) return { ok: true, value: undefined };
  const candidates = names.value.slice(0, mostDescriptors).flatMap((descriptor) => {
    const link = procfs.link(`${pid}/fd/${descriptor}`);
    if (!link.ok || !link.value.startsWith('/') || /\/registry\/|events-data|^\/dev\/|^\/proc\//.test(link.value))
      return [];
    return [{ descriptor, path: link.value }];
  });
  const ranked = candidates.sort(
    (a, b) => Number(b.path.startsWith(`${logs}/`)) - Number(a.path.startsWith(`${logs}/`)),
  );
  let denied: Gap | undefined;
  for (const { descriptor, path } of ranked) {
    const info = procfs.piece(`${pid}/fdinfo/${descriptor}`);
    if (!info.ok || !isWriteOnly(info.value)) continue;
    const stat = procfs.stat(`${pid}/fd/${descriptor}`);
    if (!stat.ok) continue;
    const head = procfs.bytes(`${pid}/fd/${descriptor}`, Math.max(0, stat.value.size - firstBytes), firstBytes);
    if (!head.ok) {
      if (head.gap.reason === 'denied') denied = { ...head.gap, detail: 'its log may not be read' };
      continue;
    }
    if (!isLog(head.value)) continue;
    const { dev, ino, size } = stat.value;
    return { ok: true, value: { descriptor, path, dev, ino, size } };
  }
  return denied === undefined ? { ok: true, value: undefined } : { ok: false, gap: denied };
}

/** `flags:\t02100001`: octal, the lowest two bits are the access mode (proc(5)). */
function isWriteOnly(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(fdinfo)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) === 1;
}

/** Whole lines that are lines of a log. Events that the file output wrote have `@metadata`, the event log has `log.type`. */
function isLog(bytes: Buffer): boolean {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1).slice(-20);
  if (
    lines.some((line) => line.startsWith('{') && (line.includes('"@metadata"') || line.includes('"log.type":"event"')))
  )
    return false;
  return lines.some((line) => {
    if (!line.startsWith('{'))
      return /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d{4})\t(?:DEBUG|INFO|WARN|ERROR|CRITICAL|FATAL|PANIC)\t/.test(line);
    return (
      (/"log\.level":"/.test(line) && /"@timestamp":"/.test(line)) ||
      (/"level":"/.test(line) && /"timestamp":"/.test(line))
    );
  });
}
