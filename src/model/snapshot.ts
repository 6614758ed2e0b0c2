/** What the kernel and the host have, and all facts of one pass. */
import type { Gap } from './gap.js';
import type { Instance } from './instance.js';
import type { Family, Protocol } from './listener.js';
import type { Owner } from './process.js';

/** One row of a socket table: what the kernel has. */
export interface Socket {
  protocol: Protocol;
  family: Family;
  /** Canonical text: `127.0.0.1`, `::1`, `0.0.0.0`, `::`. */
  address: string;
  port: number;
  /** Inode of the network namespace it stands in. */
  netns: number;
  inode: number;
  uid: number;
  /** Bytes as the kernel accounts them (truesize); of a TCP listener, connections that wait to be accepted. */
  receiveQueue: number;
  /** Datagrams; since the socket was opened; UDP only. */
  drops: number;
  /** Every process seen to hold it, by pid. */
  owners: Owner[];
  /** False when not all processes that could hold it could be looked at. */
  ownersKnown: boolean;
}

/** Counters of one network namespace, from `/proc/<pid>/net/snmp` and `snmp6`, both families added. */
export interface UdpCounters {
  inDatagrams: number;
  noPorts: number;
  inErrors: number;
  receiveBufferErrors: number;
}

export interface Namespace {
  /** Inode of `/proc/<pid>/ns/net`. */
  netns: number;
  host: boolean;
  counters?: UdpCounters;
  /** Addresses assigned in it; absent if they could not be read, or if sockets may bind any address. */
  addresses?: string[];
  /** First port that needs no capability. */
  unprivilegedPortStart?: number;
}

export interface HostFacts {
  hostname: string;
  /** Seconds since the epoch; absent where it is not sure. */
  bootTime?: number;
  /** False on a kernel without AF_INET6. */
  ipv6: boolean;
  /** Bytes. */
  rmemMax?: number;
  rmemDefault?: number;
}

/** All facts of one pass at one instant. */
export interface Snapshot {
  /** Seconds since the epoch. */
  takenAt: number;
  /** The same moment on clocks that nobody sets: see `Moment` in `runtime/clock.ts`. Absent where time is made up. */
  moment?: { steady: number; uptime?: number };
  durationSeconds: number;
  /** False when nothing could be looked at at all. */
  usable: boolean;
  host: HostFacts;
  instances: Instance[];
  /** Unconnected UDP and listening TCP sockets in the namespaces looked at. */
  sockets: Socket[];
  namespaces: Namespace[];
  statics: StaticPort[];
  gaps: Gap[];
  /** Totals of dropped datagrams by `Instance.id` and endpoint key, from the ledger. */
  drops?: Record<string, Record<string, { total: number /** Within the last 5 minutes. */; recent: number }>>;
  /** Listeners that could not be decided by this pass. */
  undecided: { instance: string; protocol: Protocol; address: string; port?: number }[];
  /** Readings of socket tables in this pass, all namespaces. */
  tableReads: number;
  /** Walks over every process's descriptors since the exporter started. */
  fullFdScans: number;
}

/** A plain port of the settings file that ought to be bound, whoever owns it. */
export interface StaticPort {
  port: number;
  protocol: Protocol;
  address?: string;
  process?: string;
  /** Seconds after which its silence is told; 0 = never. Absent: the settings' own. */
  silentAfter?: number;
}
