/** When something last came to each listener: by its counter, its queue and its drops. */
import { endpointKey } from '../model/endpoint.js';
import type { Listener, ListenerReport } from '../model/model.js';
import { noteSample, silenceOf } from './silence.js';
import type { StoredListener, StoredReport } from './stored-report.js';
import type { SelfReportRules, Subject } from './subject.js';

/** Drops of the sockets that serve a listener at the look before, by endpoint key. */
export type SeenDrops = Map<string, { inodes: string; drops: number }>;

export interface Watch {
  /** What was kept before this look's figures were added. */
  before: StoredReport | undefined;
  drops: SeenDrops;
  /** No figure is missing between the look before and this one. */
  unbroken: boolean;
  /** Seconds since the epoch. */
  now: number;
}

/** Something came to a listener: its counter rose, datagrams wait in its queue, or some were dropped. */
export function watchArrivals(subject: Subject, kept: StoredReport, watch: Watch): StoredReport {
  const listeners = { ...kept.listeners };
  let changed = false;
  for (const [index, listener] of subject.listeners.entries()) {
    if (listener.protocol !== 'udp' || listener.target.kind !== 'socket') continue;
    const key = endpointKey(listener);
    const row = listeners[key];
    // Without a counter of its own the queue alone cannot tell silence from a quick reader.
    if (row?.received === undefined) continue;
    const next = watchListener(row, key, subject.serving[index] ?? [], watch);
    if (next === row) continue;
    listeners[key] = next;
    changed = true;
  }
  return changed ? { ...kept, listeners } : kept;
}

function watchListener(
  row: StoredListener,
  key: string,
  sockets: Subject['serving'][number],
  { before, drops: seen, unbroken, now }: Watch,
): StoredListener {
  const inodes = sockets.map(({ inode }) => inode).join(',');
  const drops = sockets.reduce((sum, socket) => sum + socket.drops, 0);
  const isSame = inodes !== '' && row.sockets === inodes;
  const known = seen.get(key);
  const dropped = known?.inodes === inodes && drops !== known.drops;
  const former = before?.listeners[key]?.received?.total;
  // What the log counted has a time of its own, which is noted already.
  const rose =
    former !== undefined &&
    row.received!.total > former &&
    row.arrivals?.last === before?.listeners[key]?.arrivals?.last;
  const waits = sockets.some(({ receiveQueue }) => receiveQueue > 0);
  seen.set(key, { inodes, drops });
  const arrived = rose || waits || dropped;
  if (!unbroken) {
    // No socket is noted: the next look that can be relied on begins to watch anew, and until then nothing changes.
    const arrivals =
      arrived || row.arrivals === undefined ? noteSample(row.arrivals, now, arrived, false) : row.arrivals;
    return arrivals === row.arrivals && row.sockets === '' ? row : { ...row, arrivals, sockets: '' };
  }
  const arrivals = noteSample(row.arrivals, now, arrived, isSame);
  return arrivals === row.arrivals && isSame ? row : { ...row, arrivals, sockets: inodes };
}

/** The shortest of those given for its port; else what holds for all. */
function silentAfterOf({ protocol, port }: Listener, { silentAfter, ports = [] }: SelfReportRules): number {
  const own = ports.flatMap((one) =>
    one.protocol === protocol && one.port === port && one.silentAfter !== undefined ? [one.silentAfter] : [],
  );
  return own.length === 0 ? silentAfter : Math.min(...own);
}

/** `counted`: endpoint keys that the newest figures have counters of; undefined: the figures are too old to say what is silent. */
export function listenersOf(
  subject: Subject,
  kept: StoredReport,
  counted: ReadonlySet<string> | undefined,
  rules: SelfReportRules,
  now: number,
): Record<string, ListenerReport> {
  const found: Record<string, ListenerReport> = {};
  for (const [index, listener] of subject.listeners.entries()) {
    const key = endpointKey(listener);
    const row = kept.listeners[key];
    if (row === undefined) continue;
    const isHeld = (subject.serving[index] ?? []).length > 0;
    const silent =
      isHeld && counted?.has(key) && row.arrivals !== undefined
        ? silenceOf(row.arrivals, now, silentAfterOf(listener, rules))
        : undefined;
    found[key] = {
      ...(row.received === undefined ? {} : { received: row.received.total }),
      ...(row.bytes === undefined ? {} : { bytes: row.bytes.total }),
      ...(row.filtered === undefined ? {} : { filtered: row.filtered.total }),
      ...(row.arrivals?.last === undefined ? {} : { lastArrival: row.arrivals.last }),
      ...(silent === undefined ? {} : { silent }),
    };
  }
  return found;
}
