/** One reason to know of a Filebeat: a process, a unit, a declaration, a configuration file, or the memory. */
import type { FilebeatProcess, InstanceOrigin, ProcessId, ProcessIdentity, UnitOff } from '../../model/model.js';

/** Callers add fields of their own (command, prediction, …), which are passed through. */
export interface Candidate {
  origin: InstanceOrigin;
  /** `/` for the host's root, else the container or the root's device and inode. */
  root: string;
  /** Network: `host`, `own` (that of a container, which the root identifies), `unit NAME`, or `netns INODE`. See `networkKey`. */
  network: string;
  /** Canonical absolute paths, in the order given to Filebeat. */
  mainFiles: readonly string[];
  /** Canonical. Undefined where only the main file is known (a configuration file found by a pattern). */
  pathData?: string;
  /** The directory at `pathData`: `device:inode` and owner. */
  dataDirectory?: { id: string; owner: number };
  /** Main files as given, joined by commas. */
  config: string;
  process?: FilebeatProcess;
  /** Of a process: its user and what that user may do. */
  identity?: ProcessIdentity;
  /** Of a process: at the paths of its main files it sees the host's files. Absent: unknown. */
  hostView?: boolean;
  /** False, of a process: mode, owner, groups and capabilities all deny it its main file. */
  canRead?: boolean;
  /** Uid that it runs or should run as, a part of its identity; of a container, the uid inside. Absent: unknown. */
  owner?: number;
  /** Of an expected instance: the uids that its process may have. Undefined: unknown. */
  users?: readonly number[] | undefined;
  /** Uid of the ordinary user who owns it; absent or 0: the system. */
  account?: number;
  /** The unit itself, or the unit of a process. */
  unit?: string;
  unitAliases?: readonly string[];
  /** False, of a unit: it makes no instance, and only adds its name to a process. */
  shouldRun?: boolean;
  /** Of a unit that the boot does not start. */
  unitOff?: UnitOff;
  /** Why it could not be started with its present files; clauses. */
  failures?: readonly string[];
  container?: string;
  /** A name that its container keeps when it is recreated. */
  containerName?: string;
  declaredName?: string;
  /** Basename of a program that hosts the inputs of others: `agentbeat`, `elastic-otel-collector`. */
  host?: string;
  /** Of a remembered instance: its id and name in the memory, its origins when last seen, and its process in this boot. */
  remembered?: { id: string; name: string; origins: readonly InstanceOrigin[]; process?: ProcessId };
}
