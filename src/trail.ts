/**
 * What former scans saw, as far as a verdict needs it: when a socket was first seen, which listeners were seen
 * blocked, when a mismatch began, how drops grew. Pure: each scan makes the next trail.
 */
import { endpointKey } from './endpoint.js';
import type { Instance, Mismatch, PortVerdict, ProcessId, Snapshot, Socket, Verdict } from './model.js';

/** How far back `drops` looks: seconds (CONTRACT 5). */
export const dropsWindow = 300;

export interface Trail {
  /** Socket (`netns:protocol:inode`) → when it was first seen, seconds since the epoch. */
  firstSeen: Map<string, number>;
  /** Process and endpoint of listeners that were seen missing, with somebody else on the endpoint, after the grace. */
  blocked: Set<string>;
  /** Mismatch → when it began, seconds since the epoch. */
  since: Map<string, number>;
  /** Instance and endpoint → totals of drops within the last `dropsWindow` seconds, oldest first. */
  drops: Map<string, { at: number; total: number }[]>;
}

export const emptyTrail: Trail = { firstSeen: new Map(), blocked: new Set(), since: new Map(), drops: new Map() };

export function socketKey(socket: Socket): string {
  return `${socket.netns}:${socket.protocol}:${socket.inode}`;
}

export function blockedKey(process: ProcessId, port: Pick<PortVerdict, 'protocol' | 'address' | 'port'>): string {
  return `${process.pid}:${process.startTicks}:${endpointKey(port)}`;
}

export function mismatchKey(m: Mismatch): string {
  return [m.code, m.name ?? '', m.protocol ?? '', m.address ?? '', m.port ?? '', m.subject ?? ''].join('|');
}

function portKey(instance: Instance, port: PortVerdict): string {
  return `${instance.id}|${endpointKey(port)}`;
}

/** Samples that still matter: those within the window, and the last one before it as the base line. One is added for each change. */
function keepDrops(
  samples: readonly { at: number; total: number }[],
  total: number,
  now: number,
): { at: number; total: number }[] {
  const kept = samples.at(-1)?.total === total ? [...samples] : [...samples, { at: now, total }];
  while (kept[1] !== undefined && now - kept[1].at > dropsWindow) kept.shift();
  return kept;
}

/** Datagrams dropped at this port within the window, judged by the totals of former scans. */
export function recentDrops(
  trail: Trail,
  instance: Instance,
  port: PortVerdict,
  now: number,
): { datagrams: number; seconds: number } | undefined {
  if (port.dropsTotal === undefined) return undefined;
  const samples = keepDrops(trail.drops.get(portKey(instance, port)) ?? [], port.dropsTotal, now);
  const base = samples[0]!;
  if (samples.length < 2 || port.dropsTotal <= base.total) return undefined;
  return {
    datagrams: port.dropsTotal - base.total,
    seconds: Math.round(Math.min(dropsWindow, Math.max(1, now - base.at))),
  };
}

/** The trail that the next scan goes by. What is gone from the snapshot leaves it. */
export function nextTrail(trail: Trail, snapshot: Snapshot, verdict: Verdict, grace: number): Trail {
  const now = snapshot.takenAt;
  const firstSeen = new Map<string, number>();
  for (const socket of snapshot.sockets) {
    const key = socketKey(socket);
    firstSeen.set(key, trail.firstSeen.get(key) ?? now);
  }
  const blocked = new Set<string>();
  const drops = new Map<string, { at: number; total: number }[]>();
  snapshot.instances.forEach((instance, i) => {
    const { process } = instance;
    for (const port of verdict.instances[i]?.ports ?? []) {
      if (process !== undefined) {
        const key = blockedKey(process, port);
        const isBlocked = port.status === 'taken' && now - process.startTime > grace;
        if (isBlocked || trail.blocked.has(key)) blocked.add(key);
      }
      if (port.dropsTotal !== undefined) {
        const key = portKey(instance, port);
        drops.set(key, keepDrops(trail.drops.get(key) ?? [], port.dropsTotal, now));
      }
    }
  });
  const since = new Map(verdict.mismatches.map((m) => [mismatchKey(m), m.since ?? now]));
  return { firstSeen, blocked, since, drops };
}
