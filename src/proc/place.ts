/**
 * Where this thread is reading, told to the thread that waits for it; and what it leaves alone, since another thread is
 * stuck there. A read can wait for ever: on a network file system whose server is gone, on `/proc/<pid>/cmdline` of a
 * process whose memory is held up. One call before each step that could; without a watcher it costs nothing.
 *
 * Layout of the shared bytes: 32-bit counter of steps, 32-bit length of the path, the path.
 */
import type { Gap } from '../model/model.js';

export interface PlaceOptions {
  /** Written to as reading goes on. */
  shared?: SharedArrayBuffer;
  /** Paths inside a root; whatever lies below them is left alone too. */
  avoid?: readonly string[];
}

const HEADER_BYTES = 8;
const LONGEST_PATH = 4096;

const encoder = new TextEncoder();
let header: Int32Array | undefined;
let path: Uint8Array | undefined;
let avoided: readonly string[] = [];

export function newPlace(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + LONGEST_PATH);
}

/** For the rest of this thread's life. */
export function tellPlaces({ shared, avoid = [] }: PlaceOptions): void {
  avoided = avoid;
  header = shared && new Int32Array(shared, 0, 2);
  path = shared && new Uint8Array(shared, HEADER_BYTES);
}

/** Before a step that may wait. */
export function reading(absolute: string): void {
  if (header === undefined || path === undefined) return;
  header[1] = encoder.encodeInto(absolute, path).written;
  // Plain stores are seen late at worst; the watcher looks for seconds.
  header[0]!++;
}

/** A gap where `inner`, a path inside its root, is to be left alone. */
export function leftAlone(inner: string, subject = inner): Gap | undefined {
  if (avoided.length === 0) return undefined;
  const hit = avoided.some((one) => inner === one || inner.startsWith(`${one}/`));
  return hit ? { reason: 'limit', subject, detail: 'did not answer, and is left alone until it does' } : undefined;
}

/** What is left alone, for the gaps of a pass. */
export function allLeftAlone(): readonly string[] {
  return avoided;
}

/** The watcher's side: how many steps there were, and where the last one began. */
export function readPlace(shared: SharedArrayBuffer): { steps: number; path: string } {
  const [steps = 0, length = 0] = new Int32Array(shared, 0, 2);
  // A decoder takes no shared memory.
  const bytes = new Uint8Array(shared, HEADER_BYTES, Math.min(Math.max(length, 0), LONGEST_PATH)).slice();
  return { steps, path: new TextDecoder().decode(bytes) };
}
