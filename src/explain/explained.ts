/** The results of `explain`: about one Filebeat, and about the same files under two releases. */
import type { Fault, Listener, Owner, Position, Prediction, ReleaseOutcome } from '../model/model.js';
import type { Race } from './races.js';

/** The Filebeat that is explained. */
export interface Subject {
  /** Name of the instance on this host. */
  name?: string;
  pid?: number;
  /** Main files as given, comma-joined. */
  config: string;
  /** Facts about how it is started or was found; clauses. */
  remarks: string[];
}

export type ListenerStatus = 'resolved' | 'random' | 'unresolved' | 'invalid';

/** A socket or another instance's listener on the same endpoint (`explain --against-host`). */
export interface Collision {
  /** A socket that is bound now; without an owner if that is not visible. */
  bound?: { address: string; port: number; family: 4 | 6; uid: number; owner?: Owner };
  /** Name of the instance that holds or declares the endpoint. */
  instance?: string;
  /** Where that instance declares it. */
  declaredIn?: Position;
}

export interface ExplainedListener {
  listener: Listener;
  status: ListenerStatus;
  /** What happens if the endpoint is taken at the start; absent for a listener that is never bound. */
  ifTaken?: string;
  /** This release does not start without it: the stats endpoint of 7.0 and later. */
  vital: boolean;
  /** Other listeners of the same Filebeat that cannot be bound beside this one. */
  races: Race[];
  /** Only with `--against-host`. */
  collisions?: Collision[];
  /** Whether the host has its address; if not, the bind fails. Only with `--against-host`, and only if it is known. */
  onHost?: boolean;
}

export interface Explanation {
  subject: Subject;
  prediction: Prediction;
  listeners: ExplainedListener[];
  /** If the release is not known: the prediction under each known release, newest first. */
  byRelease?: ReleaseOutcome[];
  /** Names of other instances with the same path.data; only with `--against-host`. */
  dataSharedWith?: string[];
}

export interface Comparison {
  subject: Subject;
  before: Prediction;
  /** Undefined: it is only remembered, without files to read. */
  after?: Prediction;
  /** The release of `after`. */
  release: string;
  lost: Listener[];
  gained: Listener[];
  /** The same declaration with another endpoint. */
  moved: { from: Listener; to: Listener }[];
  /** Number of unchanged listeners. */
  unchanged: number;
  /** Listeners that collide with another one of the same Filebeat under the new release only. */
  clashing: Listener[];
  /** Faults under the new release only, and under the old one only. */
  newFaults: Fault[];
  goneFaults: Fault[];
  answer: 'same' | 'changes' | 'unknown';
}
