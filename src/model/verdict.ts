/** The verdict on a snapshot: on every port and instance, and the mismatches. */
import type { Difference } from './belonging.js';
import type { GapReason, Position } from './gap.js';
import type { InstanceOrigin, UnitOff } from './instance.js';
import type { BindRetry, Endpoint, InvalidWhy, Listener, Protocol, UnresolvedWhy } from './listener.js';
import type { Fault } from './prediction.js';
import type { Container, Halt, Owner } from './process.js';
import type { BindReason, ExitReason, LogErrorKind, OutputSituation } from './self-report.js';
import type { Socket, StaticPort } from './snapshot.js';

/** The status of an expected port; docs/metrics.md explains each. */
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

/** The codes of `mismatches.ts`; part of the API. */
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

/** The verdict on one (instance, protocol, address, port), which is one series. */
export interface PortVerdict {
  protocol: Protocol;
  address: string;
  port?: number;
  /** Inputs that share it, comma-joined. */
  input: string;
  listeners: Listener[];
  /** Undefined where that is unknown (status unknown, unresolved). */
  up?: boolean;
  status: PortStatus;
  /** The socket that serves it, or that takes its endpoint. */
  socket?: Socket;
  /** Monotonic, from the ledger. */
  dropsTotal?: number;
  /** Those of the last 5 minutes. */
  dropsRecent?: number;
  /** Effective receive buffer in bytes, where it can be derived. */
  receiveBuffer?: number;
}

/** The verdict on one instance and its ports. */
export interface InstanceVerdict {
  /** Same as `Instance.id`. */
  id: string;
  /** Undefined where that is unknown. */
  up?: boolean;
  healthy?: boolean;
  configValid?: boolean;
  pendingRestart: boolean;
  ports: PortVerdict[];
}

/** The likely cause, as data; `words/` has the texts. */
export type Cause =
  | { kind: 'not-running'; origin: InstanceOrigin; end?: 'clean' | 'crash' }
  /** Last seen before the host was booted. */
  | { kind: 'not-since-boot'; origin: InstanceOrigin }
  | { kind: 'never-seen'; origin: InstanceOrigin }
  /** One with the same files runs as `instance`, in another network namespace. */
  | { kind: 'runs-elsewhere'; instance: string }
  | { kind: 'config'; fault: Fault }
  /** Why its unit could not start it with the present files: clauses for people. */
  | { kind: 'cannot-start'; whys: string[] }
  /** This release does not start without its stats endpoint, which another process has; without one, this host lacks its address. */
  | ({ kind: 'endpoint-held'; uid?: number; declaredIn: Position; port: number } & Partial<
      Pick<Holder, 'owner' | 'instance'>
    >)
  /** Its path.data is locked by this running instance. */
  | { kind: 'data-locked'; instance: string }
  /** Its unit is not started at boot. `condition`: the setting that does not hold, as `ConditionHost=`. */
  | { kind: 'unit-off'; unit: string; why: UnitOff['why']; condition?: string }
  /** Whether systemd counts its unit as started, by the link that it keeps in /run/systemd/units while it does. */
  | { kind: 'unit-state'; unit: string; isStarted: boolean }
  /** Endpoints that its next start would not get. */
  | { kind: 'start-loses'; ports: LostPort[] }
  /** An input that its next start would refuse. */
  | { kind: 'start-refuses'; fault: Fault }
  | ({ kind: 'held-by'; uid?: number; retry: BindRetry } & Partial<Holder>)
  | ({ kind: 'shared-with' } & Holder)
  /** `when`: the event at which they would collide, where they have not yet. */
  | { kind: 'other-listener'; instance: string; declaredIn: Position; when?: 'start' | 'restart' }
  /** `inside`: in a network namespace that is not the host's. */
  | { kind: 'address-not-local'; inside?: true }
  | { kind: 'privileged-port'; firstUnprivileged: number }
  | { kind: 'bind-failed'; retry: BindRetry }
  /** `refused`: what the next start would go without. */
  | { kind: 'edited-after-start'; file?: string; gained?: Endpoint[]; lost?: Endpoint[]; refused?: Fault[] }
  /** The files on disk are refused; whether its process, which started before the last edit, uses them is unknown. */
  | { kind: 'maybe-refused'; fault: Fault }
  | { kind: 'reload-lost-port' }
  /** `sinceSeconds`: how long ago the file was edited. */
  | { kind: 'reload-pending'; file: string; sinceSeconds: number; periodSeconds: number }
  | { kind: 'reloaded-file-broken'; fault: Fault }
  /** `portsUnknown`: no earlier scan knew its ports. */
  | { kind: 'hangs-after-refusal'; fault: Fault; portsUnknown?: true }
  /** Release 8.10 starts only one of the inputs with one id: here that at `declaredIn`. */
  | { kind: 'same-id'; declaredIn: Position }
  /** Its process holds that port on another address, of another family or in another network namespace. */
  | { kind: 'bound-elsewhere'; address: string; differs: 'address' | 'family' | 'namespace' }
  | { kind: 'unresolved'; why: UnresolvedWhy | 'name' }
  | { kind: 'invalid'; why: InvalidWhy }
  /** `uid`: of the socket whose owner cannot be seen. */
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
  /** Why it makes no progress. `sinceSeconds`: how long it has been seen so. */
  | { kind: 'frozen'; how: Halt; sinceSeconds?: number }
  /** The state of its output. `waiting` and `capacity`: events. */
  | { kind: 'output'; situation: OutputSituation; sinceSeconds: number; waiting?: number; capacity?: number }
  | { kind: 'events-lost'; events: number; sinceSeconds: number }
  /** `never`: nothing has arrived since it was first watched. */
  | { kind: 'silent'; forSeconds: number; never: boolean }
  | { kind: 'none' };

/** The process that has the endpoint of another one. */
export interface Holder {
  owner: Owner;
  /** Name of the instance whose process it is. */
  instance?: string;
  /** Where that instance's configuration asks for the endpoint. */
  declaredIn?: Position;
  /** Seconds by which it started before the process that should have the endpoint; negative: after it. */
  headStart?: number;
}

/** An endpoint that a start would not get: another process has it, or no interface has its address. */
export interface LostPort extends Endpoint {
  owner?: Owner;
  /** Name of the instance whose process it is. */
  instance?: string;
  /** Of the socket, where its owner cannot be seen. */
  uid?: number;
}

/** One thing an operator should know: a code and references to its subjects, without prose. */
export interface Mismatch {
  code: MismatchCode;
  /** Lower than that of the code, where the situation is milder. */
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
  /** Further causes, the most likely first. */
  evidence?: Cause[];
  /** What its log says about it: a class and a time, never its text. `differs`: it contradicts the cause that the exporter found. */
  said?: { what: BindReason | LogErrorKind | ExitReason; at: number; differs?: true };
  /** Why datagrams pile up: the state of the output by its own figures, or that its process makes no progress. */
  output?: OutputSituation | 'frozen';
  /** Process or file concerned, where it is not the instance itself. */
  subject?: string;
  unit?: string;
  /** See `Instance.unitIsOnlyCgroup`: a restart of the unit would not restart this Filebeat. */
  unitIsOnlyCgroup?: true;
  /** A unit of a user's own service manager that runs it. */
  userUnit?: { uid: number; unit: string };
  /** Container of the instance; `unit`, if any, is a unit inside the container. */
  container?: Container;
  /** The parent of its process, where that is not pid 1. */
  parent?: { pid: number; comm: string };
  /** When this exporter first saw it, seconds since the epoch. */
  since?: number;
}

/** The verdict on a port of the settings. */
export interface StaticPortVerdict extends StaticPort {
  up: boolean;
  /** Number of sockets on that port (and address, if given). */
  sockets: number;
  owner?: Owner;
}

/** The verdict on one snapshot. */
export interface Verdict {
  /** Same order as `Snapshot.instances`. */
  instances: InstanceVerdict[];
  mismatches: Mismatch[];
  statics: StaticPortVerdict[];
}
