/**
 * The remembered state: instances, what their processes started with, learned sockets, the loss ledger. It is written as
 * JSON with a version, and contains no command line, environment or configuration value.
 */
import type { Candidate } from '../discovery/instances/candidate.js';
import type { Merged } from '../discovery/instances/instances.js';
import type { ContainerEngine, InstanceOrigin, Listener, ProcessId, Refusal, Refutation } from '../model/model.js';
import type { StoredReports } from '../self-report/stored-report.js';
import type { Learned } from './learned.js';
import type { Ledger } from './ledger.js';
import type { Probation } from './probation.js';

/**
 * Version 1 is of release 0.1.0, whose rows lack `owner`. Optional fields need no new version: a release preserves fields
 * that it does not know.
 */
export const stateVersion = 2;

/** One instance. Its fields are those of the state file: renaming one changes the format. */
export interface RememberedInstance {
  id: string;
  name: string;
  config: string;
  root: string;
  network: string;
  mainFiles: string[];
  pathData?: string;
  /** Without `remembered`. */
  origins: InstanceOrigin[];
  unit?: string;
  container?: string;
  /** Program that hosts its inputs. */
  host?: string;
  /** Inode of its last process's network namespace. */
  netns?: number;
  /** Uid that it may run as; absent in rows of 0.1.0 until a process is seen. */
  owner?: number;
  /** The ordinary user who owns it; absent: the system. */
  account?: number;
  /** A name that its container keeps when it is recreated. */
  containerName?: string;
  /** The engine of its container. */
  engine?: ContainerEngine;
  /** The unit of a user manager that started its last process. */
  userUnit?: { uid: number; unit: string };
  /** Last known version of Filebeat. */
  release?: string;
  /** Its inputs cannot be predicted. */
  dynamic?: true;
  /** Last known expected listeners. */
  expected: Listener[];
  /** How it was started, where the command line names only the locations of files. */
  command?: RememberedCommand;
  /** Predictions that its processes have disproved. */
  refuted?: readonly Refutation[];
  /** The last process; `listeners`: those that it is known to have started with. */
  start: ProcessId & {
    bootId: string;
    startTime: number;
    listeners?: Listener[];
    /** Files that are read only at the start → their modification times then, seconds since the epoch. */
    files?: Readonly<Record<string, number>>;
    /** Inputs that it refused, where no listener says so. */
    refusals?: Refusal[];
  };
  /** When its process was first and last seen, seconds since the epoch. */
  firstSeen: number;
  lastSeen: number;
  /** How often its process was replaced. */
  restarts: number;
  /** When, seconds since the epoch; the latest ones, oldest first. */
  restartTimes: number[];
}

/** A command line of only the program, `-c` and `--path.*`. */
export interface RememberedCommand {
  argv: string[];
  cwd: string;
  uid: number;
}

export interface State {
  version: typeof stateVersion;
  /** By id. */
  instances: Readonly<Record<string, RememberedInstance>>;
  ledger: Ledger;
  learned: Learned;
  /** Instances of ordinary users that are not remembered yet, by id. */
  ripening?: Probation;
  /** Figures from logs and stats endpoints, by name. */
  reports: StoredReports;
  /** Top-level fields that this release does not know, which are preserved. */
  other?: Readonly<Record<string, unknown>>;
}

export const emptyState: State = { version: stateVersion, instances: {}, ledger: {}, learned: {}, reports: {} };

/** The remembered instance that a merged instance continues. */
export function historyOf(
  state: State,
  instance: Pick<Merged<Candidate>, 'rememberedAs'>,
): RememberedInstance | undefined {
  for (const id of instance.rememberedAs) {
    const known = state.instances[id];
    if (known !== undefined) return known;
  }
  return undefined;
}
