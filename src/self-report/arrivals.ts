/** When something last arrived at each listener, by its counter, its queue and its drops. */
import { endpointKey } from '../model/endpoint.js';
import type { Listener, ListenerReport } from '../model/model.js';
import { noteSample, silenceOf } from './silence.js';
import type { StoredListener, StoredReport } from './stored-report.js';
import type { SelfReportRules, Subject } from './subject.js';

/** By endpoint key: the sockets that served a listener in the last scan, and their drops. */
export type SeenDrops = Map<string, { inodes: string; drops: number }>;

export interface Watch {
  /** The stored report before the figures of this scan were added. */
  before: StoredReport | undefined;
  drops: SeenDrops;
  /** No figure is missing between the last scan and this one. */
  unbroken: boolean;
  /** Seconds since the epoch. */
  now: number;
}

/** Notes arrivals at UDP listeners: the counter rose, datagrams wait in the queue, or some were dropped. */
export function watchArrivals(subject: Subject, stored: StoredReport, watch: Watch): StoredReport {
  const listeners = { ...stored.listeners };
  let changed = false;
  for (const [index, listener] of subject.listeners.entries()) {
    if (listener.protocol !== 'udp' || listener.target.kind !== 'socket') continue;
    const key = endpointKey(listener);
    const row = listeners[key];
    // Without a counter, an empty queue may mean silence or a fast reader.
    if (row?.received === undefined) continue;
    const next = watchListener(row, key, subject.serving[index] ?? [], watch);
    if (next === row) continue;
    listeners[key] = next;
    changed = true;
  }
  return changed ? { ...stored, listeners } : stored;
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
  // A counter from the log has the time of its line, which is noted already.
  const rose =
    former !== undefined &&
    row.received!.total > former &&
    row.arrivals?.last === before?.listeners[key]?.arrivals?.last;
  const waits = sockets.some(({ receiveQueue }) => receiveQueue > 0);
  seen.set(key, { inodes, drops });
  const arrived = rose || waits || dropped;
  if (!unbroken) {
    // Without noted sockets, the next unbroken scan starts to watch again.
    const arrivals =
      arrived || row.arrivals === undefined ? noteSample(row.arrivals, now, arrived, false) : row.arrivals;
    return arrivals === row.arrivals && row.sockets === '' ? row : { ...row, arrivals, sockets: '' };
  }
  const arrivals = noteSample(row.arrivals, now, arrived, isSame);
  return arrivals === row.arrivals && isSame ? row : { ...row, arrivals, sockets: inodes };
}

/** `silent_after` of its port, the shortest if there are several; else the general one. Seconds. */
function silentAfterOf({ protocol, port }: Listener, { silentAfter, ports = [] }: SelfReportRules): number {
  const ofPort = ports.flatMap((one) =>
    one.protocol === protocol && one.port === port && one.silentAfter !== undefined ? [one.silentAfter] : [],
  );
  return ofPort.length === 0 ? silentAfter : Math.min(...ofPort);
}

/** By endpoint key. `counted`: see `SourceResult`. */
export function listenersOf(
  subject: Subject,
  stored: StoredReport,
  counted: ReadonlySet<string> | undefined,
  rules: SelfReportRules,
  now: number,
): Record<string, ListenerReport> {
  const reports: Record<string, ListenerReport> = {};
  for (const [index, listener] of subject.listeners.entries()) {
    const key = endpointKey(listener);
    const row = stored.listeners[key];
    if (row === undefined) continue;
    const isServed = (subject.serving[index] ?? []).length > 0;
    const silent =
      isServed && counted?.has(key) && row.arrivals !== undefined
        ? silenceOf(row.arrivals, now, silentAfterOf(listener, rules))
        : undefined;
    reports[key] = {
      ...(row.received === undefined ? {} : { received: row.received.total }),
      ...(row.bytes === undefined ? {} : { bytes: row.bytes.total }),
      ...(row.filtered === undefined ? {} : { filtered: row.filtered.total }),
      ...(row.arrivals?.last === undefined ? {} : { lastArrival: row.arrivals.last }),
      ...(silent === undefined ? {} : { silent }),
    };
  }
  return reports;
}
