/**
 * Parsers of `/proc/<pid>/{stat,status,cmdline,environ,limits,fd/*,ns/*}`, `/proc/stat` and `/proc/loadavg`; see proc(5). Text in,
 * data out; they never throw, and return undefined for malformed text.
 */

/** `/proc/<pid>/stat`. */
export interface ProcessStat {
  pid: number;
  comm: string;
  /** `R`, `S`, `Z`, … */
  state: string;
  parent: number;
  /** True for threads of the kernel itself (PF_KTHREAD): they have no program and never get one. */
  kernelThread: boolean;
  /** A thread of another process: `/proc/<tid>` exists although it is not listed. As `thread_group_leader` in the kernel. */
  isThread: boolean;
  /** It is exiting or a zombie. By PF_EXITING too, since descriptors and root are gone before `state` changes. */
  exiting: boolean;
  /** Clock ticks in user and kernel mode. */
  cpuTicks: number;
  /** Clock ticks after boot. */
  startTicks: number;
  residentPages: number;
  /** Start of the stack, which every `exec` chooses anew; 0 where it may not be seen. */
  stackStart: string;
}

const PF_KTHREAD = 0x00200000;
const PF_EXITING = 0x00000004;

/** The last field that is read. */
const LAST_FIELD = 38;
/** Where the fields of the text begin that is being parsed, by their number in proc(5). */
const starts = new Int32Array(LAST_FIELD + 2);

/**
 * One line: `4242 (file (b) eat) S 1 4242 …`. The name may hold anything, so the last `)` ends it.
 */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 2 || close < open) return undefined;
  const pid = Number(text.slice(0, open));
  const last = findFields(text, close + 2);
  // Malformed and missing fields are NaN.
  const field = (number: number) =>
    number > last ? Number.NaN : integerIn(text, starts[number]!, starts[number + 1]! - 1);
  const startTicks = field(22);
  if (!Number.isInteger(pid) || Number.isNaN(startTicks)) return undefined;
  const state = text.slice(starts[3], starts[4]! - 1);
  const flags = field(9);
  return {
    pid,
    comm: text.slice(open + 1, close),
    state,
    parent: field(4),
    kernelThread: (flags & PF_KTHREAD) !== 0,
    isThread: field(38) === -1,
    exiting: (flags & PF_EXITING) !== 0 || state === 'Z' || state === 'X',
    cpuTicks: field(14) + field(15) || 0,
    startTicks,
    residentPages: field(24) || 0,
    stackStart: last < 28 ? '0' : text.slice(starts[28], starts[29]! - 1),
  };
}

/** Fills `starts` with the fields from the third one on; returns the number of the last. This runs for each process in each scan. */
function findFields(text: string, from: number): number {
  let number = 3;
  starts[3] = from;
  for (let space = text.indexOf(' ', from); space >= 0 && number <= LAST_FIELD; space = text.indexOf(' ', space + 1))
    starts[++number] = space + 1;
  if (number > LAST_FIELD) return LAST_FIELD;
  starts[number + 1] = text.length + 1;
  return number;
}

/** At most 20 digits, since the kernel's numbers have up to 64 bits; NaN for anything else. */
function integerIn(text: string, start: number, end: number): number {
  const isNegative = text.charCodeAt(start) === 45;
  const first = isNegative ? start + 1 : start;
  if (first >= end || end - first > 20) return Number.NaN;
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    value = value * 10 + digit;
  }
  return isNegative ? -value : value;
}

/** `/proc/<pid>/status`; absent fields were not in the text. */
export interface ProcessStatus {
  /** Effective. */
  uid?: number;
  /** Real, effective, saved. */
  uids?: number[];
  /** Effective and supplementary ones. */
  groups: number[];
  canBindPrivileged?: boolean;
  /** CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH, over the files of its user namespace. */
  readsAll?: boolean;
  /** Thread-group leader's id; a thread's differs from its own. */
  threadGroup?: number;
}

/** Numbers of capabilities(7), linux/capability.h. */
const CAP_NET_BIND_SERVICE = 10n;
const CAP_DAC_OVERRIDE = 1n;
const CAP_DAC_READ_SEARCH = 2n;

/** `Uid:	0	0	0	0` (real, effective, saved, file system) and `CapEff:	000001ffffffffff`. */
export function parseStatus(text: string): ProcessStatus {
  const status: ProcessStatus = { groups: [] };
  const uid = /^Uid:\s*(\d+)\s+(\d+)\s+(\d+)/m.exec(text);
  if (uid) {
    status.uid = Number(uid[2]);
    status.uids = uid.slice(1).map(Number);
  }
  const gid = /^Gid:\s*\d+\s+(\d+)/m.exec(text)?.[1] ?? '';
  const groups = /^Groups:[ \t]*([\d ]*)/m.exec(text)?.[1] ?? '';
  status.groups = [...new Set(`${gid} ${groups}`.split(' ').filter((word) => word !== ''))].map(Number);
  const group = /^Tgid:\s*(\d+)/m.exec(text);
  if (group) status.threadGroup = Number(group[1]);
  const capabilities = /^CapEff:\s*([0-9a-f]{1,16})\s*$/im.exec(text);
  if (capabilities) {
    const has = (capability: bigint) => ((BigInt(`0x${capabilities[1]}`) >> capability) & 1n) === 1n;
    status.canBindPrivileged = has(CAP_NET_BIND_SERVICE);
    status.readsAll = has(CAP_DAC_OVERRIDE) || has(CAP_DAC_READ_SEARCH);
  }
  return status;
}

/** `filebeat\0-c\0x.yml\0`; empty for kernel threads and zombies. Empty arguments are kept. */
export function parseCmdline(text: string): string[] {
  if (text === '') return [];
  const words = text.split('\0');
  if (words.at(-1) === '') words.pop();
  return words;
}

/** `NAME=value\0…`; of duplicate names the first counts, as for getenv(3) and Go's os.Getenv. */
export function parseEnviron(text: string): Record<string, string> {
  const environment: Record<string, string> = Object.create(null);
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    if (equals > 0) environment[entry.slice(0, equals)] ??= entry.slice(equals + 1);
  }
  return environment;
}

/** `Max open files            1024                 524288               files`: the soft limit; undefined when unlimited. */
export function parseMaxOpenFiles(text: string): number | undefined {
  const match = /^Max open files\s+(\d+)/m.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** `socket:[4242]` → 4242. */
export function parseSocketLink(target: string): number | undefined {
  if (!target.startsWith('socket:[') || !target.endsWith(']')) return undefined;
  const inode = Number(target.slice(8, -1));
  return Number.isSafeInteger(inode) ? inode : undefined;
}

/** `net:[4026531840]` → 4026531840; undefined for another kind of namespace. */
export function parseNamespaceLink(target: string, kind: string): number | undefined {
  const prefix = `${kind}:[`;
  if (!target.startsWith(prefix) || !target.endsWith(']')) return undefined;
  const inode = Number(target.slice(prefix.length, -1));
  return Number.isSafeInteger(inode) ? inode : undefined;
}

/** `         0     100000      65536` of `/proc/<pid>/uid_map`: first inside, first outside, count; user_namespaces(7). */
export function parseIdMap(text: string): { inside: number; outside: number; count: number }[] {
  return text.split('\n').flatMap((line) => {
    const row = /^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/.exec(line);
    return row ? [{ inside: Number(row[1]), outside: Number(row[2]), count: Number(row[3]) }] : [];
  });
}

/** `/usr/bin/filebeat (deleted)`: the file behind a running program was replaced or removed. */
export function parseExecutable(target: string): { path: string; deleted: boolean } {
  const mark = ' (deleted)';
  return target.endsWith(mark)
    ? { path: target.slice(0, -mark.length), deleted: true }
    : { path: target, deleted: false };
}

/** `processes 248731` of `/proc/stat`: tasks created since boot, including threads, in all pid namespaces. */
export function parseForks(text: string): number | undefined {
  const match = /^processes (\d+)$/m.exec(text);
  return match ? Number(match[1]) : undefined;
}

/** `0.42 0.31 0.20 3/1234 32569` of `/proc/loadavg`: existing tasks, and the pid assigned last. */
export function parseLoad(text: string): { tasks: number; lastPid: number } | undefined {
  const match = /^\S+ \S+ \S+ \d+\/(\d+) (\d+)$/.exec(text.trim());
  return match ? { tasks: Number(match[1]), lastPid: Number(match[2]) } : undefined;
}

/** `btime 1763856012` of `/proc/stat`: seconds since the epoch. */
export function parseBootTime(text: string): number | undefined {
  const match = /^btime (\d+)$/m.exec(text);
  return match ? Number(match[1]) : undefined;
}
