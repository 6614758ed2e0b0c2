/** What every judgement of one scan needs besides its subject. */
import { isServedBy } from '../filebeat/net/address.js';
import { endpointKey, portKey } from '../model/endpoint.js';
import { netnsOf, processKey } from '../model/instance-rules.js';
import type { Instance, Listener, Namespace, ProcessId, Protocol, Snapshot, Socket } from '../model/model.js';
import { addToGroup, type Groups } from '../runtime/group-by.js';
import { perObject } from '../runtime/unchanged.js';
import { blockedKey, type ScanHistory } from './scan-history.js';

/** Limits that the settings and flags give. */
export interface Thresholds {
  /** Receive queue over receive buffer, 0 to 1. */
  receiveQueueRatio: number;
  /** Seconds after a start within which a missing listener is `starting`. */
  grace: number;
  /** No other scan precedes or follows (`check`): what otherwise needs two scans is judged by the age of the process. */
  isSingleScan: boolean;
  /** Seconds after which a process without progress is reported: stopped or frozen (default 10), otherwise (default 60). */
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
  /** The instance that this process belongs to. */
  instanceOf(owner: ProcessId): Instance | undefined;
  /** Sockets on this port in the instance's network namespace: all that can serve or block a listener. */
  socketsAt(instance: Instance, protocol: Protocol, port: number): readonly Socket[];
  /** All sockets of that namespace, by `portKey`; the same object while no socket of the snapshot changed. */
  socketsBeside(instance: Instance): SocketsByPort;
  /** Whether the socket serves the listener, on all of its addresses or on some. */
  serves(socket: Socket, listener: Listener): boolean;
  /** Sockets that the instance's process holds. */
  socketsOf(instance: Instance): readonly Socket[];
  namespaceOf(instance: Instance): Namespace | undefined;
  /** The scan could not decide whether the listener has a socket. */
  undecided(instance: Instance, listener: Listener): boolean;
  /** A netflow listener that this process failed to bind once, in a release that then discards everything. */
  deaf(instance: Instance, listener: Listener): boolean;
  /** The instance's descriptors could not be seen. */
  hidesOwners(instance: Instance): boolean;
}

export type SocketsByPort = ReadonlyMap<number, readonly Socket[]>;

const NO_SOCKETS: readonly Socket[] = [];
const NO_PORTS: SocketsByPort = new Map();

export function createVerdictContext(snapshot: Snapshot, history: ScanHistory, thresholds: Thresholds): VerdictContext {
  const { ipv6 } = snapshot.host;
  const hostNetns = snapshot.namespaces.find(({ host }) => host)?.netns;
  const { byPort, byOwner } = indexSockets(snapshot.sockets);
  const socketsBeside = (instance: Instance) => byPort.get(netnsOf(instance, hostNetns)) ?? NO_PORTS;
  const byProcess = new Map<string, Instance>();
  for (const instance of snapshot.instances) {
    if (instance.process !== undefined) byProcess.set(processKey(instance.process), instance);
  }
  // With CAP_DAC_READ_SEARCH alone descriptors can be listed but not read.
  const hidden = new Set(snapshot.gaps.filter(({ reason }) => reason === 'denied').map(({ subject }) => subject));
  const undecided = new Set(snapshot.undecided.map((one) => `${one.instance}|${endpointKey(one)}`));
  return {
    snapshot,
    history,
    thresholds,
    now: snapshot.takenAt,
    grace: thresholds.grace,
    ipv6,
    instanceOf: (owner) => byProcess.get(processKey(owner)),
    socketsAt: (instance, protocol, port) => socketsBeside(instance).get(portKey(protocol, port)) ?? NO_SOCKETS,
    socketsBeside,
    serves: (socket, listener) => isServedBy(listener, socket, ipv6),
    socketsOf: ({ process }) => (process === undefined ? NO_SOCKETS : (byOwner.get(processKey(process)) ?? NO_SOCKETS)),
    namespaceOf: (instance) => {
      const netns = netnsOf(instance, hostNetns);
      return snapshot.namespaces.find((one) => one.netns === netns);
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

/** `byPort`: network namespace → `portKey` → sockets. `byOwner`: `processKey` → sockets. */
const indexSockets = perObject((sockets: readonly Socket[]) => {
  const byPort = new Map<number | undefined, Groups<number, Socket>>();
  const byOwner: Groups<string, Socket> = new Map();
  for (const socket of sockets) {
    let ports = byPort.get(socket.netns);
    if (ports === undefined) {
      ports = new Map();
      byPort.set(socket.netns, ports);
    }
    addToGroup(ports, portKey(socket.protocol, socket.port), socket);
    for (const owner of socket.owners) addToGroup(byOwner, processKey(owner), socket);
  }
  return { byPort, byOwner };
});
