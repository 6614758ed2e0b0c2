/** What `explain` says of one Filebeat, and of the same files under two releases. */

import type { Fault, Listener, Owner, Position, Prediction, ReleaseOutcome } from '../model/model.js';
import type { Race } from './races.js';

/** Which Filebeat is meant. */
export interface Subject {
  /** Of an instance on this host. */
  name?: string;
  pid?: number;
  /** Main files as given, comma-joined. */
  config: string;
  /** What is to be known about the way it was looked at; sentences. */
  remarks: string[];
}

export type ListenerStatus = 'resolved' | 'random' | 'unresolved' | 'invalid';

/** Who has an endpoint, or asks for it too (`explain --against-host`). */
export interface Collision {
  /** Bound now. Without an owner: one that cannot be seen. */
  bound?: { address: string; port: number; family: 4 | 6; uid: number; owner?: Owner };
  /** Name of the instance that has it or asks for it. */
  instance?: string;
  /** Where that instance asks for it. */
  declaredIn?: Position;
}

export interface ExplainedListener {
  listener: Listener;
  status: ListenerStatus;
  /** What happens when the endpoint is taken at the start; absent for what is never bound. */
  ifTaken?: string;
  /** Without it this release does not start: the stats endpoint of 7.0 and later. */
  vital: boolean;
  /** Other listeners of the same Filebeat that cannot be bound beside this one. */
  races: Race[];
  /** Absent: nobody asked. */
  collisions?: Collision[];
  /** The host has its address (`--against-host`); absent: nobody asked, or it cannot be told. Without it the bind fails. */
  onHost?: boolean;
}

export interface Explanation {
  subject: Subject;
  prediction: Prediction;
  listeners: ExplainedListener[];
  /** Where the release is not known: what each of the known ones makes of the files, newest first. */
  byRelease?: ReleaseOutcome[];
  /** Names of other instances with the same path.data; only with `--against-host`. */
  dataSharedWith?: string[];
}
export interface Comparison {
  subject: Subject;
  before: Prediction;
  /** Undefined: nothing on disk says how it is started. */
  after?: Prediction;
  /** The release that was asked for. */
  release: string;
  lost: Listener[];
  gained: Listener[];
  /** One declaration, another endpoint. */
  moved: { from: Listener; to: Listener }[];
  /** Listeners that stay as they are. */
  unchanged: number;
  /** Listeners of the new release that cannot be bound beside another one of the same Filebeat, and could before. */
  clashing: Listener[];
  /** What would newly cost an input or a file, and what would no longer. */
  newFaults: Fault[];
  goneFaults: Fault[];
  answer: 'same' | 'changes' | 'unknown';
}
