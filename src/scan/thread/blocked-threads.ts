/** Detects a thread that is blocked in a call, and keeps the list of paths that block. */
import { readFileSync } from 'node:fs';
import { type QuarantinedPath, readHeartbeat } from '../../proc/heartbeat.js';
import { parseStat } from '../../proc/process-files.js';
import { steadyMs } from '../../runtime/clock.js';
import { blockedAt, widened } from './blocked-path.js';

/** Several checks within the time: after the whole machine was suspended a single one would be wrong. */
const CHECKS = 4;

/**
 * Calls `onBlocked` once the thread has stayed in one call for `patienceMs` without using or waiting for processor time. A thread
 * that computes, writes the state or starves on a busy machine is not blocked. Returns a function that ends the watch.
 */
export function watchForBlock(
  heartbeat: SharedArrayBuffer,
  patienceMs: number,
  onBlocked: (path: string) => void,
): () => void {
  let before = '';
  let unchanged = 0;
  const timer = setInterval(() => {
    const { steps, inside, thread } = readHeartbeat(heartbeat);
    const { state, cpuTicks } = activityOf(thread);
    const now = `${steps} ${cpuTicks}`;
    unchanged = inside !== undefined && state !== 'R' && now === before ? unchanged + 1 : 0;
    before = now;
    if (unchanged >= CHECKS) onBlocked(inside!);
  }, patienceMs / CHECKS);
  return () => clearInterval(timer);
}

/** State and processor time of a thread of this process; empty where they cannot be read. */
function activityOf(thread: number): { state?: string; cpuTicks?: number } {
  return thread === 0 ? {} : (parseStat(textOf(`/proc/self/task/${thread}/stat`)) ?? {});
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // The process is gone, or its mounts are hidden.
  }
}

/** What to skip after a call blocked on `path`; undefined where a scan cannot do without it. */
export function pathToSkip(path: string, roots: { procfs: string; rootfs: string }): QuarantinedPath | undefined {
  const blocked = blockedAt(path, roots);
  const mounts = blocked.mountsOf === undefined ? '' : textOf(`${roots.procfs}/${blocked.mountsOf}/mountinfo`);
  return widened(blocked, mounts);
}

/** Paths that threads (`T`) are blocked on. */
export interface Quarantine<T> {
  paths(): QuarantinedPath[];
  add(path: QuarantinedPath, thread: T): void;
  /** The call of this thread has returned. */
  returned(thread: T): void;
  /** Removes and returns the paths that may be tried again. */
  release(): QuarantinedPath[];
}

/** `leastMs`: how long a path stays in quarantine at least. */
export function createQuarantine<T>(leastMs: number): Quarantine<T> {
  const entries = new Map<string, { path: QuarantinedPath; thread: T | undefined; until: number }>();
  return {
    paths: () => [...entries.values()].map(({ path }) => path),
    add: (path, thread) =>
      void entries.set(`${path.space} ${path.path}`, { path, thread, until: steadyMs() + leastMs }),
    returned(thread) {
      for (const entry of entries.values()) if (entry.thread === thread) entry.thread = undefined;
    },
    release() {
      const released = [...entries].filter(([, { thread, until }]) => thread === undefined && steadyMs() >= until);
      for (const [key] of released) entries.delete(key);
      return released.map(([, { path }]) => path);
    },
  };
}
