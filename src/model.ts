/**
 * The vocabulary of the program as types; no logic. Everything that looks returns these,
 * everything that thinks takes and returns these, everything that tells renders a `Report`.
 * All of it is plain data: it can be written as JSON and read back.
 */

export type Protocol = 'udp' | 'tcp';

/** Which table a socket stands in: 4 = `/proc/<pid>/net/udp`, 6 = `…/udp6`. A dual-stack wildcard is a row of 6. */
export type Family = 4 | 6;

// ---------------------------------------------------------------- what could not be seen

export type GapReason = 'denied' | 'vanished' | 'malformed' | 'missing' | 'limit';

/** Something that could not be seen, and why. Never shown as "down". */
export interface Gap {
  reason: GapReason;
  /** What could not be seen: a path or a thing, never a configuration's value. */
  subject: string;
  /** One plain clause for people; never quotes a value. */
  detail?: string;
  /** Identity (`Instance.id`) of the instance that this costs something. */
  instance?: string;
}

export type Reading<T> = { ok: true; value: T } | { ok: false; gap: Gap };

/** Where something was declared. `file` as the Filebeat sees it, or `command line`, `unit NAME`. */
export interface Position {
  file: string;
  /** 1-based; absent where the whole file (or the command line) is meant. */
  line?: number;
}

// ---------------------------------------------------------------- processes

/** A pid alone can be reused; pid and start time together cannot. */
export interface ProcessId {
  pid: number;
  /** Field 22 of `/proc/<pid>/stat`: clock ticks after boot. */
  startTicks: number;
}

/** Facts of a running Filebeat, all of them from `/proc/<pid>`. Absent fields could not be seen (see the snapshot's gaps). */
export interface FilebeatProcess extends ProcessId {
  /** Seconds since the epoch. */
  startTime: number;
  /** `/proc/<pid>/comm`, at most 15 bytes. */
  comm: string;
  /** Effective uid. */
  uid: number;
  /** Link target of `/proc/<pid>/exe` without ` (deleted)`. */
  executable?: string;
  /** The file behind `exe` was replaced or removed after the start. */
  executableDeleted: boolean;
  cwd?: string;
  /** Network namespace: inode of `/proc/<pid>/ns/net`. */
  netns?: number;
  /** True when its network namespace is the exporter's own host namespace (that of pid 1, else ours). */
  hostNetns?: boolean;
  /** True when `/proc/<pid>/root` is another root than the host's. */
  ownRoot: boolean;
  /** systemd unit from `/proc/<pid>/cgroup`, e.g. `filebeat@core.service`. */
  unit?: string;
  /** Container id (12 hex) or machine name from `/proc/<pid>/cgroup`. */
  container?: string;
  /** CapEff of `/proc/<pid>/status` holds CAP_NET_BIND_SERVICE. */
  canBindPrivileged?: boolean;
  cpuSeconds?: number;
  residentBytes?: number;
  openFds?: number;
  maxFds?: number;
}

/** A process that holds a descriptor on a socket. */
export interface Owner extends ProcessId {
  comm: string;
}

// ---------------------------------------------------------------- expected: listeners

/** What a configured host becomes (Go's net package under Filebeat, Linux). */
export type Target =
  /** One socket. `serves` says what the configuration asked for; `any` = both families by a dual-stack wildcard; `reuse`: SO_REUSEADDR (multicast), several can share it. */
  | { kind: 'socket'; family: Family; address: string; port: number; serves: 'ipv4' | 'ipv6' | 'any'; reuse?: true }
  /** Port 0 or none: the system picks. */
  | { kind: 'random'; family: Family; address: string; serves: 'ipv4' | 'ipv6' | 'any'; reuse?: true }
  /** A name that cannot be looked up from here: match on the port alone. */
  | { kind: 'name'; port: number }
  /** Depends on something that cannot be known from outside. */
  | { kind: 'unresolved'; why: UnresolvedWhy }
  /** Can never become a socket; Filebeat runs on without it. */
  | { kind: 'invalid'; why: InvalidWhy };

export type UnresolvedWhy = 'keystore' | 'variable' | 'service-name' | 'ambiguous';

export type InvalidWhy =
  | 'missing-port'
  | 'too-many-colons'
  | 'bad-port'
  | 'unknown-service'
  | 'bad-host'
  | 'no-such-name'
  | 'wrong-family'
  | 'bad-option';

/** What an input does after its bind failed (depends on type and release). */
export type BindRetry = 'never' | 'busy' | 'every-10s' | 'deaf';

/** A socket that an instance's configuration asks for. */
export interface Listener {
  protocol: Protocol;
  /** The `address` label: resolved address, `*` for a dual-stack wildcard, names and multicast groups as configured. */
  address: string;
  /** 0 = random; absent when the host has no usable port. */
  port?: number;
  target: Target;
  /** `udp`, `syslog`, `netflow`, `tcp`, `http_endpoint`, `lumberjack`, `http`, `module/fileset`, `learned`. */
  input: string;
  declaredIn: Position;
  /** Set when Filebeat re-reads the declaring file by itself. */
  reload?: {
    periodSeconds: number;
    /** This release usually loses the port when its entry is edited (before 7.17.6 and 8.3.3). */
    losesPort?: true;
  };
  /** `read_buffer` in bytes, where the release honours it. */
  readBuffer?: number;
  retry: BindRetry;
  /** Sockets of a fileset with a large script come up to 25 s after the start. */
  slowStart?: true;
  /** Sentences for `explain`: what was overridden by what, what was assumed. Never quote values. */
  notes?: string[];
  /** Inputs known to share the socket by design (http_endpoint with several urls). */
  shares?: true;
  /** Of the listeners with the same mark Filebeat starts only one, by chance (release 8.10: equal `id`). */
  rival?: string;
}

// ---------------------------------------------------------------- expected: prediction

/** Why a Filebeat would not start, or why something could not be told. The words are in `filebeat/faults.ts`. */
export interface Fault {
  code: string;
  /** A setting's name, a flag's name, a file: never a setting's value. */
  subject?: string;
  at?: Position;
}

/** One file that bears on an instance's listeners. */
export interface ConfigFile {
  /** As the Filebeat sees it. */
  path: string;
  role: 'main' | 'inputs' | 'modules' | 'manifest' | 'keystore' | 'unit';
  /** Seconds since the epoch; absent when the file could not be looked at. */
  mtime?: number;
  /** Filebeat re-reads it by itself. */
  reloaded: boolean;
}

export interface Release {
  /** `8.19.21`; absent when it could not be known and the newest rules were applied. */
  version?: string;
  /** What told it. */
  source: 'readme' | 'package' | 'option' | 'hint' | 'remembered' | 'assumed';
}

export interface Prediction {
  /** `runs`; `exits`: Filebeat refuses to start; `dynamic`: inputs come from elsewhere; `ambiguous`: Filebeat itself decides by chance; `unknown`: could not be read. */
  outcome: 'runs' | 'exits' | 'dynamic' | 'ambiguous' | 'unknown';
  /** The one reason for `exits`, `dynamic`, `ambiguous`, `unknown`. */
  reason?: Fault;
  listeners: Listener[];
  /** Things that cost an input or a file, while Filebeat runs on. */
  faults: Fault[];
  files: ConfigFile[];
  /** The `-c` files, canonical inside the instance's root where they exist: part of its identity. */
  mainFiles?: string[];
  release: Release;
  paths: { home: string; config: string; data: string; logs: string };
  gaps: Gap[];
  /** Facts were taken from the program's own fileset table because the home could not be read. */
  filesetFallback?: true;
}

// ---------------------------------------------------------------- instances

export type InstanceOrigin = 'process' | 'systemd' | 'declared' | 'config_glob' | 'remembered';

/** One Filebeat that runs or ought to run. */
export interface Instance {
  /** Root, network namespace, main files, path.data: what makes two of them the same. Opaque. */
  id: string;
  /** Unique on the host, stable across restarts of either program. */
  name: string;
  /** Main configuration path(s) as Filebeat was given them, comma-joined. */
  config: string;
  /** Strongest first. */
  origins: InstanceOrigin[];
  /** Unit that ought to run it or runs it. */
  unit?: string;
  container?: string;
  process?: FilebeatProcess;
  /** Network namespace of the last process, where none runs now. */
  netns?: number;
  prediction: Prediction;
  /** What it ought to hold now: see `expected.ts`. */
  expected: Listener[];
  /**
   * Where `expected` comes from. `remembered`: what this very process started with. `edited`: on disk, but a file was edited
   * after the start and the start was not seen. `last-known`: of an earlier process; the files of this one tell nothing.
   */
  basis: 'disk' | 'remembered' | 'edited' | 'last-known';
  /** The listeners on disk differ from the remembered ones it started with, and only a restart applies them. */
  pendingRestart: boolean;
  /** Reloaded files that can no longer be loaded, with why: Filebeat has stopped their inputs. */
  brokenReloads?: { file: string; fault: Fault }[];
  /** It ought to run, but processes cannot be looked for (hidepid): neither up nor down. */
  hidden?: true;
  /** Seconds since the epoch; absent if never seen. */
  lastSeen?: number;
  /** Replacements of its process that were observed. */
  restarts: number;
  /** Restarts observed within the threshold window reached the threshold. */
  flapping?: { count: number; withinSeconds: number };
  /** Root and canonical path.data: two instances with the same one get in each other's way. */
  dataKey?: string;
  /** How the last process ended, as far as the lock file in path.data tells. */
  lastEnd?: 'clean' | 'crash';
}

// ---------------------------------------------------------------- observed: sockets

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
  /** Addresses assigned in it; absent when they could not be read. */
  addresses?: string[];
  /** First port that needs no capability. */
  unprivilegedPortStart?: number;
}

export interface HostFacts {
  hostname: string;
  /** Seconds since the epoch. */
  bootTime: number;
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
}

// ---------------------------------------------------------------- verdict

export type PortStatus =
  | 'listening'
  | 'missing'
  | 'taken'
  | 'narrower'
  | 'owner_hidden'
  | 'instance_down'
  | 'starting'
  | 'deaf'
  | 'unknown'
  | 'invalid'
  | 'unresolved';

export type Severity = 'critical' | 'warning' | 'info';

export type MismatchCode =
  | 'instance_down'
  | 'instance_flapping'
  | 'config_invalid'
  | 'config_unreadable'
  | 'config_unresolved'
  | 'config_dynamic'
  | 'restart_pending'
  | 'data_path_conflict'
  | 'port_missing'
  | 'learned_port_gone'
  | 'listener_invalid'
  | 'port_taken'
  | 'listener_deaf'
  | 'port_narrower'
  | 'port_random'
  | 'port_conflict'
  | 'socket_unexpected'
  | 'owner_hidden'
  | 'queue_high'
  | 'drops'
  | 'buffer_capped'
  | 'static_port_down';

/** One (instance, protocol, address, port): one series, one verdict. */
export interface PortVerdict {
  protocol: Protocol;
  address: string;
  port?: number;
  /** Inputs that share it, comma-joined. */
  input: string;
  listeners: Listener[];
  /** Undefined: not to be told (unknown, unresolved). */
  up?: boolean;
  status: PortStatus;
  /** The socket that serves it, or that stands in its way. */
  socket?: Socket;
  /** Monotonic, from the ledger. */
  dropsTotal?: number;
  /** Of them, those within the last 5 minutes. */
  dropsRecent?: number;
  /** Effective receive buffer in bytes, where it can be derived. */
  receiveBuffer?: number;
}

export interface InstanceVerdict {
  /** Same as `Instance.id`. */
  id: string;
  /** Undefined: it could not be looked for. */
  up?: boolean;
  healthy?: boolean;
  configValid?: boolean;
  pendingRestart: boolean;
  ports: PortVerdict[];
}

/** An endpoint as labels tell it. */
export interface Endpoint {
  protocol: Protocol;
  address: string;
  port?: number;
}

/** The likely cause, as data; the words are in `words/cause.ts`. */
export type Cause =
  | { kind: 'not-running'; origin: InstanceOrigin; end?: 'clean' | 'crash' }
  /** Last seen before the host was booted. */
  | { kind: 'not-since-boot'; origin: InstanceOrigin }
  | { kind: 'never-seen'; origin: InstanceOrigin }
  /** One with the same files runs as `instance`, in another network namespace. */
  | { kind: 'runs-elsewhere'; instance: string }
  | { kind: 'config'; fault: Fault }
  | ({ kind: 'held-by'; uid?: number; retry: BindRetry } & Partial<Holder>)
  | ({ kind: 'shared-with' } & Holder)
  /** `when`: what makes them meet, where they have not met yet. */
  | { kind: 'other-listener'; instance: string; declaredIn: Position; when?: 'start' | 'restart' }
  /** `inside`: in a network namespace that is not the host's. */
  | { kind: 'address-not-local'; inside?: true }
  | { kind: 'privileged-port'; firstUnprivileged: number }
  | { kind: 'bind-failed'; retry: BindRetry }
  | { kind: 'edited-after-start'; file?: string; gained?: Endpoint[]; lost?: Endpoint[] }
  | { kind: 'reload-lost-port' }
  /** `sinceSeconds`: how long ago the file was edited. */
  | { kind: 'reload-pending'; file: string; sinceSeconds: number; periodSeconds: number }
  | { kind: 'reloaded-file-broken'; fault: Fault }
  /** `portsUnknown`: no earlier look knew a port of it. */
  | { kind: 'hangs-after-refusal'; fault: Fault; portsUnknown?: true }
  /** Release 8.10 starts only one of the inputs with one id: here that at `declaredIn`. */
  | { kind: 'same-id'; declaredIn: Position }
  /** Its process holds that port on another address, of another family or in another network namespace. */
  | { kind: 'bound-elsewhere'; address: string; differs: 'address' | 'family' | 'namespace' }
  | { kind: 'unresolved'; why: UnresolvedWhy | 'name' }
  | { kind: 'invalid'; why: InvalidWhy }
  /** `uid`: of the socket whose holder cannot be seen. */
  | { kind: 'permission'; subject: string; uid?: number }
  | { kind: 'unreadable'; subject: string; reason: GapReason }
  | { kind: 'ipv4-only-socket' }
  | { kind: 'shared-data-path'; instance: string }
  | { kind: 'restarts'; count: number; withinSeconds: number }
  | { kind: 'queue'; bytes: number; limit: number }
  | { kind: 'dropped'; datagrams: number; sinceSeconds: number }
  | { kind: 'rmem-max'; wanted: number; granted: number }
  | { kind: 'wrong-process'; owner?: Owner }
  | { kind: 'none' };

/** Who holds an endpoint that somebody else ought to hold. */
export interface Holder {
  owner: Owner;
  /** Name of the instance whose process it is. */
  instance?: string;
  /** Where that instance's configuration asks for the endpoint. */
  declaredIn?: Position;
  /** By how many seconds it started before the process that ought to hold the endpoint; negative: after it. */
  headStart?: number;
}

/** One thing an operator should know: a code and references to its subjects. No prose inside. */
export interface Mismatch {
  code: MismatchCode;
  /** Instance name; absent for plain ports. */
  name?: string;
  config?: string;
  pid?: number;
  protocol?: Protocol;
  address?: string;
  port?: number;
  input?: string;
  declaredIn?: Position;
  cause: Cause;
  /** Process or file concerned, where it is not the instance itself. */
  subject?: string;
  unit?: string;
  /** Container of the instance, where no unit runs it. */
  container?: string;
  /** Seconds since the epoch when it was first seen by this exporter. */
  since?: number;
}

export interface StaticPortVerdict extends StaticPort {
  up: boolean;
  /** Sockets bound on exactly that port (and address, if given). */
  sockets: number;
  owner?: Owner;
}

export interface Verdict {
  /** Same order as `Snapshot.instances`. */
  instances: InstanceVerdict[];
  mismatches: Mismatch[];
  statics: StaticPortVerdict[];
}

// ---------------------------------------------------------------- former scans

/** `[sample, value, sample, value, …]`: a value holds from its sample to the next change. */
export type Changes = readonly number[];

export interface PortTrack {
  /** 1 up, 0 down, -1 not to be told. */
  up: Changes;
  /** Datagrams dropped between a sample and the one before. */
  drops: Changes;
  /** Eighths of the receive buffer, 0 to 8. */
  queue: Changes;
  /** Drops altogether at the last sample. */
  total: number;
}

export interface InstanceTrack {
  up: Changes;
}

/** A bounded memory of past scans. Samples are numbered for ever; `times[i]` is when sample `first + i` was taken. */
export interface History {
  first: number;
  /** Seconds since the epoch, oldest first. */
  times: readonly number[];
  /** By `Instance.id`. */
  instances: Readonly<Record<string, InstanceTrack>>;
  /** By `Instance.id` and endpoint key. */
  ports: Readonly<Record<string, Readonly<Record<string, PortTrack>>>>;
}

export type EntryKind =
  | 'appeared'
  | 'forgotten'
  | 'started'
  | 'stopped'
  | 'restarted'
  | 'edited'
  | 'bound'
  | 'not_bound'
  | 'lost'
  | 'taken'
  | 'drops_began'
  | 'drops_ended';

/** One change that a scan saw. */
export interface Entry {
  /** Seconds since the epoch: the scan that saw it. */
  at: number;
  kind: EntryKind;
  /** Instance; absent for plain ports. */
  name?: string;
  pid?: number;
  /** The process before a restart. */
  former?: number;
  end?: 'clean' | 'crash';
  file?: string;
  /** Ports concerned, the first few of `count`. */
  ports?: readonly Endpoint[];
  /** Ports or files. */
  count?: number;
  /** Who has taken the ports. */
  by?: Owner;
}

/** Oldest first. */
export interface Journal {
  failures: readonly Entry[];
  successes: readonly Entry[];
}

/** What every view renders. */
export interface Report {
  snapshot: Snapshot;
  verdict: Verdict;
  history?: History;
  journal?: Journal;
  /** The newest pass failed or did not finish in time: this is the last one that did. */
  stale?: true;
}
