/**
 * Which call of this thread may block, told to the thread that watches it when the call is entered and when it is left;
 * and what is left alone, since another thread is stuck there. A read can wait for ever: on a network file system whose
 * server is gone, on `/proc/<pid>/cmdline` of a process whose memory is held up. Without a watcher it costs nothing.
 *
 * Layout of the shared bytes: four 32-bit words (count of entries and exits, 1 while inside, length of the path, thread
 * id), then the path.
 */
import { readlinkSync } from 'node:fs';
import type { Gap } from '../model/model.js';

/**
 * A path as one mount namespace and one root have it: the same path in another container is another file. `space` is
 * opaque; see `placeOf`.
 */
export interface Place {
  space: string;
  path: string;
}

export interface PlaceOptions {
  /** Written to as reading goes on. */
  shared?: SharedArrayBuffer;
  /** Whatever lies below one of these is left alone too. */
  avoid?: readonly Place[];
}

const WORDS = 4;
const HEADER_BYTES = 4 * WORDS;
const LONGEST_PATH = 4096;

const encoder = new TextEncoder();
let header: Int32Array | undefined;
let path: Uint8Array | undefined;
let avoided: readonly Place[] = [];

export function newPlace(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + LONGEST_PATH);
}

/** For the rest of this thread's life. */
export function tellPlaces({ shared, avoid = [] }: PlaceOptions): void {
  avoided = avoid;
  header = shared && new Int32Array(shared, 0, WORDS);
  path = shared && new Uint8Array(shared, HEADER_BYTES);
  if (header !== undefined) header[3] = ownThread();
}

/** `/proc/thread-self` leads to `<pid>/task/<tid>`; 0 where it is not there. */
function ownThread(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/')[2] ?? 0);
  } catch {
    return 0; // No procfs there: the watcher goes by time alone.
  }
}

/** Before a call that may block on this path. Every `enter` has its `leave`, whatever the call does. */
export function enter(absolute: string): void {
  if (header === undefined || path === undefined) return;
  header[2] = encoder.encodeInto(absolute, path).written;
  header[1] = 1;
  // Plain stores are seen late at worst; the watcher looks for seconds.
  header[0]!++;
}

export function leave(): void {
  if (header === undefined) return;
  header[1] = 0;
  header[0]!++;
}

/** One call that may block. */
export function during<T>(absolute: string, call: () => T): T {
  enter(absolute);
  try {
    return call();
  } finally {
    leave();
  }
}

/** What the kernel says of a link without asking any file system for it; undefined where it may not be read. */
function linkOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

const ROOT_OF_PROCESS = /^(.*\/\d+)\/root$/;

/**
 * The same for all ways to one file: `/proc/<pid>/root/x` of every process that shares a mount namespace and a root, and
 * for our own, `x` itself. `root` is the directory that is `/` for whoever sees `inner` there.
 */
export function placeOf(root: string, inner: string): Place {
  const [, process] = ROOT_OF_PROCESS.exec(root) ?? [];
  const mounts = linkOf(`${process ?? '/proc/self'}/ns/mnt`);
  if (mounts === undefined) return { space: `root ${root}`, path: inner };
  const base = process === undefined ? root : (linkOf(root) ?? '');
  return { space: mounts, path: `${base === '/' ? '' : base}${inner}` };
}

/** A gap where `inner`, as seen below `root`, is to be left alone. */
export function leftAlone(root: string, inner: string, subject = inner): Gap | undefined {
  if (avoided.length === 0) return undefined;
  const { space, path: place } = placeOf(root, inner);
  const hit = avoided.some((one) => one.space === space && (place === one.path || place.startsWith(`${one.path}/`)));
  return hit ? gapOf(subject) : undefined;
}

function gapOf(subject: string): Gap {
  return { reason: 'blocked', subject, detail: 'did not answer, and is left alone until it does' };
}

/** What is left alone, for the gaps of a pass. */
export function allLeftAlone(): readonly Place[] {
  return avoided;
}

export function gapsLeftAlone(): Gap[] {
  return avoided.map(({ path: place }) => gapOf(place));
}

export interface Where {
  /** Changes with every entry and exit. */
  steps: number;
  /** The path of the call that it is inside of. */
  inside: string | undefined;
  /** 0: not known. */
  thread: number;
}

/** The watcher's side. */
export function readPlace(shared: SharedArrayBuffer): Where {
  const [steps = 0, inside = 0, length = 0, thread = 0] = new Int32Array(shared, 0, WORDS);
  if (inside === 0) return { steps, inside: undefined, thread };
  // A decoder takes no shared memory.
  const bytes = new Uint8Array(shared, HEADER_BYTES, Math.min(Math.max(length, 0), LONGEST_PATH)).slice();
  return { steps, inside: new TextDecoder().decode(bytes), thread };
}
