/**
 * What a verdict needs to know of earlier scans: when a socket was first seen, which listeners were blocked, when a mismatch
 * began. Pure: each scan returns the next history.
 */

import { endpointKey } from '../model/endpoint.js';
import { ageOf, processKey } from '../model/instance-rules.js';
import type { FilebeatProcess, Mismatch, PortVerdict, ProcessId, Snapshot, Socket, Verdict } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';

/** Plain data, never changed; a new one for each scan. */
export interface ScanHistory {
  /** Socket (`netns:protocol:inode`) → when it was first seen, seconds since the epoch. */
  firstSeen: Map<string, number>;
  /** `blockedKey` of listeners that had no socket after the grace because another process had the endpoint. */
  blocked: Set<string>;
  /** `mismatchKey` → when it began, seconds since the epoch. */
  since: Map<string, number>;
  /** `haltKey` → since when the process makes no progress. */
  halted: Map<string, Standstill>;
}

export interface Standstill {
  /** Seconds since the epoch. */
  since: number;
  /** Processor time then, seconds. */
  cpu: number | undefined;
}

export const emptyScanHistory: ScanHistory = {
  firstSeen: new Map(),
  blocked: new Set(),
  since: new Map(),
  halted: new Map(),
};

/** `4026531840:udp:81234`: namespace, protocol, inode. */
export const socketKey = perObject(({ netns, protocol, inode }: Socket) => `${netns}:${protocol}:${inode}`);

export function blockedKey(process: ProcessId, port: Pick<PortVerdict, 'protocol' | 'address' | 'port'>): string {
  return `${processKey(process)}:${endpointKey(port)}`;
}

export function mismatchKey(m: Mismatch): string {
  return [m.code, m.name ?? '', m.protocol ?? '', m.address ?? '', m.port ?? '', m.subject ?? ''].join('|');
}

/** After the wall clock was set by `step` seconds: moves all time stamps with it. */
export function shiftScanHistory({ firstSeen, blocked, since, halted }: ScanHistory, step: number): ScanHistory {
  const moved = (times: Map<string, number>) => new Map([...times].map(([key, at]) => [key, at + step]));
  const still = new Map([...halted].map(([key, one]) => [key, { ...one, since: one.since + step }]));
  return { firstSeen: moved(firstSeen), blocked, since: moved(since), halted: still };
}

/** The history for the next scan. Drops what is gone from the snapshot. */
export function nextScanHistory(
  history: ScanHistory,
  snapshot: Snapshot,
  verdict: Verdict,
  grace: number,
): ScanHistory {
  const now = snapshot.takenAt;
  const firstSeen = firstSeenOf(snapshot.sockets, history.firstSeen, now);
  const blocked = new Set<string>();
  snapshot.instances.forEach((instance, i) => {
    const { process } = instance;
    for (const port of verdict.instances[i]?.ports ?? []) {
      if (process === undefined || (port.status !== 'taken' && history.blocked.size === 0)) continue;
      const key = blockedKey(process, port);
      const isBlocked = port.status === 'taken' && (ageOf(process, now) ?? 0) > grace;
      if (isBlocked || history.blocked.has(key)) blocked.add(key);
    }
  });
  const since = new Map(verdict.mismatches.map((m) => [mismatchKey(m), m.since ?? now]));
  return { firstSeen, blocked, since, halted: standstills(history, snapshot) };
}

/** The sockets that each of these maps was made from. */
const sources = new WeakMap<ScanHistory['firstSeen'], readonly Socket[]>();

/** `before` itself if it was made from the same sockets. */
function firstSeenOf(sockets: readonly Socket[], before: ScanHistory['firstSeen'], now: number) {
  if (sources.get(before) === sockets) return before;
  const firstSeen: ScanHistory['firstSeen'] = new Map();
  for (const socket of sockets) {
    const key = socketKey(socket);
    firstSeen.set(key, before.get(key) ?? now);
  }
  sources.set(firstSeen, sockets);
  return firstSeen;
}

export function haltKey(process: FilebeatProcess): string {
  return `${processKey(process)}:${process.halt}`;
}

function standstills({ halted }: ScanHistory, { instances, takenAt }: Snapshot): ScanHistory['halted'] {
  const now: ScanHistory['halted'] = new Map();
  for (const { process } of instances) {
    if (process?.halt === undefined) continue;
    const { cpuSeconds: cpu } = process;
    const before = halted.get(haltKey(process));
    now.set(haltKey(process), before?.cpu === cpu && before !== undefined ? before : { since: takenAt, cpu });
  }
  return now;
}
