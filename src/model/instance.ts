/** An instance: why it is known, its process if there is one, and what it ought to hold. */
import type { Identity } from './belonging.js';
import type { Listener } from './listener.js';
import type { Fault, Prediction, Refusal } from './prediction.js';
import type { Container, FilebeatProcess } from './process.js';
import type { LastWords, SelfReport } from './self-report.js';

export type InstanceOrigin = 'process' | 'systemd' | 'declared' | 'config_glob' | 'remembered';

/** A unit that is there and that a boot does not start. `condition`: the setting that does not hold, with its `=`. */
export interface UnitOff {
  why: 'disabled' | 'static' | 'masked' | 'condition';
  condition?: string;
}

/** One Filebeat that runs or ought to run. */
export interface Instance {
  /** Root, network namespace, main files, path.data, owner: what makes two of them the same. Opaque. */
  id: string;
  /** Unique on the host, stable across restarts of either program. */
  name: string;
  /** Main configuration path(s) as Filebeat was given them, comma-joined. */
  config: string;
  /** Strongest first. */
  origins: InstanceOrigin[];
  /** Unit that ought to run it or runs it. */
  unit?: string;
  /** The unit is no more than the control group that its process sits in: what it starts is not known to be this Filebeat. */
  unitIsPlace?: true;
  container?: string;
  /** The same with its engine and name, for a remedy. */
  containerBy?: Container;
  /** Unit of a user's own service manager that starts it. */
  userUnit?: { uid: number; unit: string };
  process?: FilebeatProcess;
  /** Why its process is this instance, or is not another one. */
  identity?: Identity;
  /** Uid of the ordinary user whose it is; absent: the system's (root, a unit, declared, a container of a system engine). */
  account?: number;
  /** An ordinary user's that has not lived long enough to be remembered. */
  newcomer?: true;
  /** Not everything that it asks for is looked at: a limit. */
  cut?: true;
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
  /** What it is asked for and runs without, where no expected listener tells of it. */
  refusals?: Refusal[];
  /** What the files on disk would make its next start go without, where no listener tells of it. */
  nextRefusals?: Refusal[];
  /** Of one that only the memory knows: why it could not start with the files that are on disk now. */
  wouldFail?: Fault;
  /** It ought to run, but whether it does cannot be told (hidepid, a process of an unknown user): neither up nor down. */
  hidden?: true;
  /** Seconds since the epoch; absent if never seen. */
  lastSeen?: number;
  /** Replacements of its process that were observed. */
  restarts: number;
  /** Restarts observed within the threshold window reached the threshold. */
  flapping?: { count: number; withinSeconds: number };
  /** Root and canonical path.data: two instances with the same one get in each other's way. */
  dataKey?: string;
  /** Its path.data on disk: `device:inode`, and the uid whose it is. Absent: not there, or not to be looked at. */
  dataDirectory?: { id: string; owner: number };
  /** Of one that is down: why it could not be started as the files are; clauses for people. */
  cannotStart?: string[];
  /** Of one that is down: why its unit is not started by a boot. */
  unitOff?: UnitOff;
  /** Of one that is down: systemd counts its unit as started, or does not. Absent: cannot be told. */
  unitStarted?: boolean;
  /** What its process says of itself; absent where there is no source. */
  selfReport?: SelfReport;
  /** Of one that does not run. */
  lastWords?: LastWords;
  /** How the last process ended, as far as the lock file in path.data tells. */
  lastEnd?: 'clean' | 'crash';
}
