/**
 * Why a process that exists makes no progress: `/proc/<pid>/stat` and `task/<tid>/stat` (states T, t and D, see proc(5)),
 * `cgroup.events` of its control group (cgroup v2) or `freezer.state` (v1), see cgroups(7).
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Halt } from '../model/model.js';
import { steadyMs } from '../runtime/clock.js';
import { during, quarantineGap } from './heartbeat.js';
import { type ProcFs, pathExists } from './proc-fs.js';
import { type ProcessStat, parseStat } from './process-files.js';

/** Tells why processes make no progress. */
export interface HaltReader {
  /** To be called at the beginning of each scan: control groups are read once in a scan, however many processes are in them. */
  begin(): void;
  /** `idle`: it has used no processor time since the last scan, or was not seen before. */
  haltOf(stat: ProcessStat, idle: boolean): Halt | undefined;
}

const MOST_THREADS = 2000;
/** How often the mounted hierarchies are checked, since failing reads cost most. Milliseconds. */
const MOUNTS_KEPT_MS = 60_000;

/** `rootfs`: its `/sys` is read first. */
export function createHaltReader(procfs: ProcFs, rootfs: string): HaltReader {
  const roots = [
    ...new Set([`${rootfs === '/' ? '' : rootfs}/sys/fs/cgroup`, ...(procfs.real ? ['/sys/fs/cgroup'] : [])]),
  ];
  const mounted = new Map<string, { at: number; exists: boolean }>();
  /** By the text of `/proc/<pid>/cgroup`, in this scan. */
  let frozen = new Map<string, boolean>();

  function isMounted(path: string): boolean {
    const known = mounted.get(path);
    if (known !== undefined && steadyMs() - known.at < MOUNTS_KEPT_MS) return known.exists;
    const exists = quarantineGap('/', path) === undefined && during(path, () => pathExists(path));
    mounted.set(path, { at: steadyMs(), exists });
    return exists;
  }

  /** The main thread of a working process nearly always sleeps (S); only otherwise are all threads read. */
  function areAllThreads(state: string, pid: number): boolean {
    const names = procfs.list(`${pid}/task`);
    if (!names.ok) return true; // Only the main thread is visible.
    return names.value.slice(0, MOST_THREADS).every((tid) => {
      const text = procfs.piece(`${pid}/task/${tid}/stat`);
      const stat = text.ok ? parseStat(text.value) : undefined;
      return stat === undefined || stat.state === state;
    });
  }

  /** The path is read again for each process, which may have been moved into another group. */
  function isFrozen(pid: number): boolean {
    const text = procfs.piece(`${pid}/cgroup`);
    if (!text.ok) return false;
    const known = frozen.get(text.value);
    if (known !== undefined) return known;
    const answer = freezerFiles(text.value).some(({ mount, file, says }) =>
      roots.some((root) => isMounted(`${root}${mount}`) && says.test(textOf(root, `${mount}${file}`))),
    );
    frozen.set(text.value, answer);
    return answer;
  }

  return {
    begin() {
      frozen = new Map();
    },
    haltOf({ pid, state }, idle) {
      if (state === 'T') return areAllThreads('T', pid) ? 'stopped' : undefined;
      if (state === 't') return areAllThreads('t', pid) ? 'traced' : undefined;
      if ((state === 'D' || idle) && isFrozen(pid)) return 'cgroup';
      return state === 'D' && areAllThreads('D', pid) ? 'uninterruptible' : undefined;
    },
  };
}

/** `0::/system.slice/filebeat.service` and `4:freezer:/…` → the files that say whether it is frozen. */
export function freezerFiles(cgroup: string): { mount: string; file: string; says: RegExp }[] {
  return cgroup.split('\n').flatMap((line) => {
    const [, id, controllers, path] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    // A path outside the exporter's cgroup namespace cannot be resolved.
    if (path === undefined || path.split('/').includes('..')) return [];
    const folder = path === '/' ? '' : path;
    if (id === '0' && controllers === '') {
      const says = /^frozen 1$/m;
      return ['', '/unified'].map((mount) => ({ mount, file: `${folder}/cgroup.events`, says }));
    }
    const isFreezer = controllers?.split(',').includes('freezer');
    return isFreezer ? [{ mount: '/freezer', file: `${folder}/freezer.state`, says: /^FROZEN$/m }] : [];
  });
}

/** For files of a few words, without the fstat(2) of `readFileSync`. */
const words = Buffer.allocUnsafe(4096);

function readWords(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    return words.toString('latin1', 0, readSync(descriptor, words, 0, words.length, null));
  } finally {
    closeSync(descriptor);
  }
}

function textOf(root: string, file: string): string {
  const path = `${root}${file}`;
  if (quarantineGap('/', path) !== undefined) return '';
  try {
    return during(path, () => readWords(path));
  } catch {
    return ''; // Not mounted, or the group is gone.
  }
}
