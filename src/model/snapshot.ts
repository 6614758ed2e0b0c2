/** The facts of one scan. */
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
  /** Inode of its network namespace. */
  netns: number;
  inode: number;
  uid: number;
  /** Bytes as the kernel accounts them (truesize); of a TCP listener, connections that wait to be accepted. */
  receiveQueue: number;
  /** Datagrams; since the socket was opened; UDP only. */
  drops: number;
  /** Every process seen to hold it, by pid. */
  owners: readonly Owner[];
  /** False when some processes that might hold it could not be read. */
  ownersKnown: boolean;
}

/** Counters of one network namespace, from `/proc/<pid>/net/snmp` and `snmp6`, both families added. */
export interface UdpCounters {
  inDatagrams: number;
  noPorts: number;
  inErrors: number;
  receiveBufferErrors: number;
}

/** One network namespace. */
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

/** Facts about the kernel and the boot. */
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

/** All facts of one scan, at one instant. */
export interface Snapshot {
  /** Seconds since the epoch. */
  takenAt: number;
  /** The same moment on clocks that cannot be set: see `Moment` in `runtime/clock.ts`. Absent where a test makes up the time. */
  moment?: { steady: number; uptime?: number };
  durationSeconds: number;
  /** False when `/proc` could not be listed. */
  usable: boolean;
  host: HostFacts;
  instances: Instance[];
  /** Unconnected UDP and listening TCP sockets of all network namespaces that matter. */
  sockets: Socket[];
  namespaces: Namespace[];
  statics: StaticPort[];
  gaps: Gap[];
  /** Totals of dropped datagrams by `Instance.id` and endpoint key, from the ledger. */
  drops?: Record<string, Record<string, { total: number /** Within the last 5 minutes. */; recent: number }>>;
  /** Listeners of which this scan could not decide whether they have a socket. */
  undecided: { instance: string; protocol: Protocol; address: string; port?: number }[];
  /** How often socket tables were read in this scan, in all namespaces. */
  tableReads: number;
  /** Full scans of every process's descriptors since the start of the exporter. */
  fullFdScans: number;
}

/** A port that the settings list: it should be bound, by whatever process. */
export interface StaticPort {
  port: number;
  protocol: Protocol;
  address?: string;
  process?: string;
  /** Seconds without data until it is reported as silent; 0: never. Absent: the settings' default. */
  silentAfter?: number;
}
