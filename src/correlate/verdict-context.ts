/** What every judgement of one pass needs besides its subject. */
import { endpointKey, portKey } from '../model/endpoint.js';
import type { Instance, Listener, Namespace, ProcessId, Protocol, Snapshot, Socket } from '../model/model.js';
import { blockedKey, type ScanHistory } from './scan-history.js';

export interface Thresholds {
  /** Receive queue over receive buffer, 0 to 1. */
  receiveQueueRatio: number;
  /** Seconds after a start within which a missing listener is `starting`. */
  grace: number;
  /** One look alone (`check`): sockets of processes older than the grace need not be seen twice. */
  isSingleScan: boolean;
  /** Seconds for which a process has to be stopped or frozen (10), or to hang without any progress (60). */
  frozenAfter?: number;
  stalledAfter?: number;
}

export interface VerdictContext {
  snapshot: Snapshot;
  history: ScanHistory;
  thresholds: Thresholds;
  now: number;
  grace: number;
  ipv6: boolean;
  /** The instance whose process this is. */
  instanceOf(owner: ProcessId): Instance | undefined;
  /** Sockets on this very port in the instance's network namespace: all that can serve or block a listener. */
  socketsAt(instance: Instance, protocol: Protocol, port: number): readonly Socket[];
  /** Sockets that the instance's process holds. */
  socketsOf(instance: Instance): readonly Socket[];
  namespaceOf(instance: Instance): Namespace | undefined;
  undecided(instance: Instance, listener: Listener): boolean;
  /** A netflow listener of a release that discards after a failed bind, which was seen blocked in this very process. */
  deaf(instance: Instance, listener: Listener): boolean;
  /** The instance's descriptors could not be seen. */
  hidesOwners(instance: Instance): boolean;
}

/** The namespace an instance belongs to: its process's; of one that is down, the host's. */
function netnsOf(instance: Instance, snapshot: Snapshot): number | undefined {
  return instance.process?.netns ?? instance.netns ?? snapshot.namespaces.find((n) => n.host)?.netns;
}

function add<K>(map: Map<K, Socket[]>, key: K, socket: Socket): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [socket]);
  else list.push(socket);
}

export function createVerdictContext(snapshot: Snapshot, history: ScanHistory, thresholds: Thresholds): VerdictContext {
  const byProcess = new Map<string, Instance>();
  for (const instance of snapshot.instances) {
    if (instance.process) byProcess.set(`${instance.process.pid}:${instance.process.startTicks}`, instance);
  }
  /** By network namespace. */
  const byPort = new Map<number | undefined, Map<number, Socket[]>>();
  const byOwner = new Map<string, Socket[]>();
  for (const socket of snapshot.sockets) {
    let here = byPort.get(socket.netns);
    if (here === undefined) {
      here = new Map();
      byPort.set(socket.netns, here);
    }
    add(here, portKey(socket.protocol, socket.port), socket);
    for (const owner of socket.owners) add(byOwner, `${owner.pid}:${owner.startTicks}`, socket);
  }
  // With CAP_DAC_READ_SEARCH alone descriptors can be counted, and none of them read.
  const hidden = new Set(snapshot.gaps.filter(({ reason }) => reason === 'denied').map(({ subject }) => subject));
  const undecided = new Set(snapshot.undecided.map((u) => `${u.instance}|${endpointKey(u)}`));
  return {
    snapshot,
    history,
    thresholds,
    now: snapshot.takenAt,
    grace: thresholds.grace,
    ipv6: snapshot.host.ipv6,
    instanceOf: (owner) => byProcess.get(`${owner.pid}:${owner.startTicks}`),
    socketsAt: (instance, protocol, port) =>
      byPort.get(netnsOf(instance, snapshot))?.get(portKey(protocol, port)) ?? [],
    socketsOf: ({ process }) =>
      process === undefined ? [] : (byOwner.get(`${process.pid}:${process.startTicks}`) ?? []),
    namespaceOf: (instance) => {
      const netns = netnsOf(instance, snapshot);
      return snapshot.namespaces.find((n) => n.netns === netns);
    },
    undecided: (instance, listener) => undecided.has(`${instance.id}|${endpointKey(listener)}`),
    deaf: (instance, listener) =>
      listener.retry === 'deaf' &&
      instance.process !== undefined &&
      history.blocked.has(blockedKey(instance.process, listener)),
    hidesOwners: ({ process }) =>
      process !== undefined && (process.openFds === undefined || hidden.has(`/proc/${process.pid}/fd`)),
  };
}
