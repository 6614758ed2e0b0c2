/** An instance: why it is known, its process if it has one, and its expected listeners. */
import type { Identity } from './belonging.js';
import type { Listener } from './listener.js';
import type { Fault, Prediction, Refusal } from './prediction.js';
import type { Container, FilebeatProcess } from './process.js';
import type { LastMessage, SelfReport } from './self-report.js';

/** Why an instance is known. `config_glob`: by a pattern of the settings. */
export type InstanceOrigin = 'process' | 'systemd' | 'declared' | 'config_glob' | 'remembered';

/** A unit that exists and is not started at boot. `condition`: the setting that does not hold, with its `=`. */
export interface UnitOff {
  why: 'disabled' | 'static' | 'masked' | 'condition';
  condition?: string;
}

/** One Filebeat that runs or should run. */
export interface Instance {
  /** The identity: root, network namespace, main files, path.data, owner. Opaque. */
  id: string;
  /** Unique on the host, stable across restarts of either program. */
  name: string;
  /** Main configuration paths as given to Filebeat, joined by commas. */
  config: string;
  /** Strongest first. */
  origins: InstanceOrigin[];
  /** The unit that runs it or should run it. */
  unit?: string;
  /** The unit is only known as the control group of its process; it may not start this Filebeat. */
  unitIsOnlyCgroup?: true;
  container?: string;
  /** The same with its engine and name, for a remedy. */
  containerBy?: Container;
  /** The unit of a user manager that starts it. */
  userUnit?: { uid: number; unit: string };
  process?: FilebeatProcess;
  /** Why its process is this instance, or is not another one. */
  identity?: Identity;
  /** Uid of the ordinary user who owns it; absent: the system (root, a unit, declared, a container of a system engine). */
  account?: number;
  /** It belongs to an ordinary user and has not run long enough to be remembered. */
  newcomer?: true;
  /** Some of its listeners were left out because of a limit. */
  truncated?: true;
  /** Network namespace of the last process, where none runs. */
  netns?: number;
  prediction: Prediction;
  /** The listeners it should have now; see `expected.ts`. */
  expected: Listener[];
  /**
   * Where `expected` comes from. `remembered`: what this very process started with. `edited`: on disk, but a file was edited
   * after the start and the start was not seen. `last-known`: of an earlier process; the files of this one tell nothing.
   */
  basis: 'disk' | 'remembered' | 'edited' | 'last-known';
  /** The listeners on disk differ from those it started with, and only a restart applies them. */
  pendingRestart: boolean;
  /** Reloaded files that cannot be loaded any more, with the fault: Filebeat has stopped their inputs. */
  brokenReloads?: { file: string; fault: Fault }[];
  /** Inputs that it refuses, where no expected listener says so. */
  refusals?: Refusal[];
  /** Inputs that its next start would refuse, where no listener says so. */
  nextRefusals?: Refusal[];
  /** For an instance that only the memory expects: why it could not start with the files on disk. */
  wouldFail?: Fault;
  /** It should run, and whether it does is unknown (hidepid, a process of an unknown user): neither up nor down. */
  hidden?: true;
  /** Seconds since the epoch; absent while it runs, and if it was never seen. */
  lastSeen?: number;
  /** How often its process was seen to be replaced. */
  restarts: number;
  /** The restarts within the window reached the threshold. */
  flapping?: { count: number; withinSeconds: number };
  /** Root and canonical path.data, which two instances must not share. */
  dataKey?: string;
  /** Its path.data on disk: `device:inode` and the owner's uid. Absent: missing or unreadable. */
  dataDirectory?: { id: string; owner: number };
  /** For an instance that is down: why its unit could not start it with the present files; clauses for people. */
  cannotStart?: string[];
  /** For an instance that is down: why its unit is not started at boot. */
  unitOff?: UnitOff;
  /** For an instance that is down: whether systemd counts its unit as started. Absent: unknown. */
  unitStarted?: boolean;
  /** What its log or stats endpoint reports; absent without either. */
  selfReport?: SelfReport;
  /** The last `Exiting:` line in the log of an instance that is down. */
  lastMessage?: LastMessage;
  /** How the last process ended, by the lock file in path.data. */
  lastEnd?: 'clean' | 'crash';
}
