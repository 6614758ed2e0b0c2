/**
 * A heartbeat: this thread notes in shared memory when it enters and leaves a call that may block, and another thread watches;
 * and the quarantine: paths that are skipped because a read of them blocks another thread. A read can wait for ever, on a
 * network file system without its server or on `/proc/<pid>/cmdline` of a process whose memory is locked.
 *
 * Layout of the shared bytes: four 32-bit words (count of entries and exits, 1 while inside, length of the path, thread
 * id), then the path.
 */
import { readlinkSync } from 'node:fs';
import type { Gap } from '../model/model.js';

/** A path within one mount namespace and root, which `space` identifies; see `pathIdentity`. */
export interface QuarantinedPath {
  space: string;
  path: string;
}

export interface HeartbeatOptions {
  /** The shared bytes. */
  shared?: SharedArrayBuffer;
  /** Quarantined paths; everything below them is skipped too. */
  avoid?: readonly QuarantinedPath[];
}

const WORDS = 4;
const HEADER_BYTES = 4 * WORDS;
const LONGEST_PATH = 4096;

const encoder = new TextEncoder();
let header: Int32Array | undefined;
let path: Uint8Array | undefined;
let avoided: readonly QuarantinedPath[] = [];

/** The shared bytes for one thread. */
export function newHeartbeat(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + LONGEST_PATH);
}

/** Starts the heartbeat of this thread, until it ends. */
export function startHeartbeat({ shared, avoid = [] }: HeartbeatOptions): void {
  avoided = avoid;
  header = shared && new Int32Array(shared, 0, WORDS);
  path = shared && new Uint8Array(shared, HEADER_BYTES);
  if (header !== undefined) header[3] = ownThread();
}

/** The thread id from the link `/proc/thread-self` to `<pid>/task/<tid>`; 0 without it. */
function ownThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/')[2] ?? 0);
  } catch {
    return 0; // Without procfs the watcher relies on time only.
  }
}

/** To be called before a call that may block on this path; `leave` must follow, also after an exception. */
export function enter(absolute: string): void {
  if (header === undefined || path === undefined) return;
  header[2] = encoder.encodeInto(absolute, path).written;
  header[1] = 1;
  // The watcher may see plain stores late, which is fine at intervals of seconds.
  header[0]!++;
}

/** See `enter`. */
export function leave(): void {
  if (header === undefined) return;
  header[1] = 0;
  header[0]!++;
}

/** Runs a call that may block. */
export function during<T>(absolute: string, call: () => T): T {
  enter(absolute);
  try {
    return call();
  } finally {
    leave();
  }
}

/** The target of a magic link, which the kernel knows without the file system; undefined where it may not be read. */
function linkOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

const ROOT_OF_PROCESS = /^(.*\/\d+)\/root$/;

/**
 * The same result for all paths to one file: `/proc/<pid>/root/x` of every process with the same mount namespace and root,
 * and for the exporter's own also `x`. `root`: the directory that is `/` for `inner`.
 */
export function pathIdentity(root: string, inner: string): QuarantinedPath {
  const [, process] = ROOT_OF_PROCESS.exec(root) ?? [];
  const mounts = linkOf(`${process ?? '/proc/self'}/ns/mnt`);
  if (mounts === undefined) return { space: `root ${root}`, path: inner };
  const base = process === undefined ? root : (linkOf(root) ?? '');
  return { space: mounts, path: `${base === '/' ? '' : base}${inner}` };
}

/** A gap where `inner` below `root` is quarantined. */
export function quarantineGap(root: string, inner: string, subject = inner): Gap | undefined {
  if (avoided.length === 0) return undefined;
  const { space, path: absolute } = pathIdentity(root, inner);
  const isQuarantined = avoided.some(
    (one) => one.space === space && (absolute === one.path || absolute.startsWith(`${one.path}/`)),
  );
  return isQuarantined ? gapOf(subject) : undefined;
}

function gapOf(subject: string): Gap {
  return { reason: 'blocked', subject, detail: 'a read of it blocks; skipped until that returns' };
}

/** All quarantined paths. */
export function quarantinedPaths(): readonly QuarantinedPath[] {
  return avoided;
}

/** A gap for each quarantined path. */
export function quarantineGaps(): Gap[] {
  return avoided.map((one) => gapOf(one.path));
}

export interface HeartbeatReading {
  /** Number of entries and exits. */
  steps: number;
  /** The path of the running call. */
  inside: string | undefined;
  /** 0: unknown. */
  thread: number;
}

/** Reads the heartbeat, in the watching thread. */
export function readHeartbeat(shared: SharedArrayBuffer): HeartbeatReading {
  const [steps = 0, inside = 0, length = 0, thread = 0] = new Int32Array(shared, 0, WORDS);
  if (inside === 0) return { steps, inside: undefined, thread };
  // TextDecoder does not accept shared memory.
  const bytes = new Uint8Array(shared, HEADER_BYTES, Math.min(Math.max(length, 0), LONGEST_PATH)).slice();
  return { steps, inside: new TextDecoder().decode(bytes), thread };
}
