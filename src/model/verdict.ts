/** What is made of a snapshot: a verdict for every port and instance, and what an operator should know. */
import type { Difference } from './belonging.js';
import type { GapReason, Position } from './gap.js';
import type { InstanceOrigin, UnitOff } from './instance.js';
import type { BindRetry, Endpoint, InvalidWhy, Listener, Protocol, UnresolvedWhy } from './listener.js';
import type { Fault } from './prediction.js';
import type { Container, Halt, Owner } from './process.js';
import type { BindReason, ExitReason, LogErrorKind, OutputSituation } from './self-report.js';
import type { Socket, StaticPort } from './snapshot.js';

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
  | 'refused'
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
  | 'input_refused'
  | 'prediction_refuted'
  | 'lookalike'
  | 'instance_frozen'
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
  | 'output_failing'
  | 'output_slow'
  | 'events_dropped'
  | 'port_silent'
  | 'reload_failed'
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

/** The likely cause, as data; the words are in `words/cause.ts`. */
export type Cause =
  | { kind: 'not-running'; origin: InstanceOrigin; end?: 'clean' | 'crash' }
  /** Last seen before the host was booted. */
  | { kind: 'not-since-boot'; origin: InstanceOrigin }
  | { kind: 'never-seen'; origin: InstanceOrigin }
  /** One with the same files runs as `instance`, in another network namespace. */
  | { kind: 'runs-elsewhere'; instance: string }
  | { kind: 'config'; fault: Fault }
  /** Its unit could not start it as its files are: clauses. */
  | { kind: 'cannot-start'; whys: string[] }
  /** This release does not start without its stats endpoint, and somebody has that; nobody: this host lacks its address. */
  | ({ kind: 'endpoint-held'; uid?: number; declaredIn: Position; port: number } & Partial<
      Pick<Holder, 'owner' | 'instance'>
    >)
  /** Its path.data is locked by this running instance. */
  | { kind: 'data-locked'; instance: string }
  /** Its unit is not started, or is not to be. `condition`: the setting that does not hold, as `ConditionHost=`. */
  | { kind: 'unit-off'; unit: string; why: UnitOff['why']; condition?: string }
  /** Whether systemd counts its unit as started, by the link that it keeps in /run/systemd/units while it does. */
  | { kind: 'unit-state'; unit: string; isStarted: boolean }
  /** Endpoints that its next start would not get. */
  | { kind: 'start-loses'; ports: LostPort[] }
  /** An input that its next start would refuse. */
  | { kind: 'start-refuses'; fault: Fault }
  | ({ kind: 'held-by'; uid?: number; retry: BindRetry } & Partial<Holder>)
  | ({ kind: 'shared-with' } & Holder)
  /** `when`: what makes them meet, where they have not met yet. */
  | { kind: 'other-listener'; instance: string; declaredIn: Position; when?: 'start' | 'restart' }
  /** `inside`: in a network namespace that is not the host's. */
  | { kind: 'address-not-local'; inside?: true }
  | { kind: 'privileged-port'; firstUnprivileged: number }
  | { kind: 'bind-failed'; retry: BindRetry }
  /** `refused`: what the next start would go without. */
  | { kind: 'edited-after-start'; file?: string; gained?: Endpoint[]; lost?: Endpoint[]; refused?: Fault[] }
  /** What is on disk is refused; whether its process, which started before the last edit, works with that is not known. */
  | { kind: 'maybe-refused'; fault: Fault }
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
  /** `user`: uid of the Filebeat that may not read it. */
  | { kind: 'unreadable'; subject: string; reason: GapReason; user?: number }
  | { kind: 'ipv4-only-socket' }
  | { kind: 'shared-data-path'; instance: string }
  | { kind: 'restarts'; count: number; withinSeconds: number }
  | { kind: 'queue'; bytes: number; limit: number }
  | { kind: 'dropped'; datagrams: number; sinceSeconds: number }
  | { kind: 'rmem-max'; wanted: number; granted: number }
  | { kind: 'wrong-process'; owner?: Owner }
  | { kind: 'imitates'; instance: string; differs: Difference }
  /** Why no thread of it gets on. `sinceSeconds`: how long it has been seen so. */
  | { kind: 'frozen'; how: Halt; sinceSeconds?: number }
  /** What becomes of its events. `waiting` and `capacity`: events. */
  | { kind: 'output'; situation: OutputSituation; sinceSeconds: number; waiting?: number; capacity?: number }
  | { kind: 'events-lost'; events: number; sinceSeconds: number }
  /** `never`: nothing has come since it was first watched. */
  | { kind: 'silent'; forSeconds: number; never: boolean }
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

/** An endpoint that a start would not get: somebody holds it, or no interface has its address. */
export interface LostPort extends Endpoint {
  owner?: Owner;
  /** Name of the instance whose process it is. */
  instance?: string;
  /** Of the socket, where its holder cannot be seen. */
  uid?: number;
}

/** One thing an operator should know: a code and references to its subjects. No prose inside. */
export interface Mismatch {
  code: MismatchCode;
  /** Lower than the code's own, where the situation is milder. */
  severity?: Severity;
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
  /** What else speaks for it being so, the likeliest first. */
  evidence?: Cause[];
  /** What its log says about it: a class and a time, never its words. `differs`: the exporter's own look says something else. */
  said?: { what: BindReason | LogErrorKind | ExitReason; at: number; differs?: true };
  /** Why datagrams pile up: what its own figures say about the output, or that no thread of it runs. */
  output?: OutputSituation | 'frozen';
  /** Process or file concerned, where it is not the instance itself. */
  subject?: string;
  unit?: string;
  /** See `Instance.unitIsPlace`: not to be restarted for this Filebeat's sake. */
  unitIsPlace?: true;
  /** A unit of a user's own service manager that runs it. */
  userUnit?: { uid: number; unit: string };
  /** Container of the instance. Its `unit`, if any, is one inside of the container. */
  container?: Container;
  /** Who started its process, where that is not pid 1. */
  parent?: { pid: number; comm: string };
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
