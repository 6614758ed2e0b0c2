/**
 * How the last process of an instance ended (the lock file in path.data, Filebeat 7.6 and later), and whether another instance
 * has replaced it.
 */
import type { FileView } from '../filebeat/files/file-view.js';
import { applies, newestRelease, parseRelease } from '../filebeat/releases/releases.js';
import { isOnlyRemembered } from '../model/instance-rules.js';
import type { InstanceOrigin, Listener, Socket } from '../model/model.js';

/**
 * For an instance without a process. Filebeat removes `filebeat.lock` at a clean exit; if the file exists, it was killed or
 * crashed. Undefined where unknown: it never ran there, no permission, a release before 7.6. `version`: `8.19.21`; an
 * unknown one counts as recent.
 */
export function lastEnd(files: FileView, pathData: string, version?: string): 'clean' | 'crash' | undefined {
  const lock = files.stat(`${pathData}/filebeat.lock`);
  if (lock.ok) return 'crash';
  if (lock.gap.reason !== 'missing' || !applies('data-lock', parseRelease(version) ?? newestRelease)) return undefined;
  const traces = ['meta.json', 'registry'].map((name) => files.stat(`${pathData}/${name}`));
  return traces.some((trace) => trace.ok) ? 'clean' : undefined;
}

/** Another instance with the sockets of its process and its listeners. */
export interface Holder {
  id: string;
  /** Namespace inode that it runs in. */
  netns: number;
  sockets: readonly Socket[];
}

/**
 * True when only the memory expects this instance, it has at least one listener, and one other instance in the
 * same namespace serves all of them. A listener without a port of its own (random, unresolved, invalid) proves nothing, so an
 * instance with no other ones is never superseded. `serves` is correlate's rule of which socket answers a listener.
 */
export function isSuperseded(
  instance: { id: string; origins: readonly InstanceOrigin[]; netns?: number; expected: readonly Listener[] },
  holders: readonly Holder[],
  serves: (listener: Listener, socket: Socket) => boolean,
): boolean {
  if (instance.netns === undefined || !isOnlyRemembered(instance)) return false;
  const fixed = instance.expected.filter(({ target }) => target.kind === 'socket' || target.kind === 'name');
  if (fixed.length === 0) return false;
  return holders.some(
    (holder) =>
      holder.id !== instance.id &&
      holder.netns === instance.netns &&
      fixed.every((listener) => holder.sockets.some((socket) => serves(listener, socket))),
  );
}
