/** One reason to know of a Filebeat. */
import type { FilebeatProcess, InstanceOrigin, ProcessId, ProcessIdentity, UnitOff } from '../../model/model.js';

/** One reason to know of a Filebeat. Callers add what they need to it (command, prediction, …): it is handed through. */
export interface Candidate {
  origin: InstanceOrigin;
  /** `/` for the host's, else the container or the root's own identity. */
  root: string;
  /** Network: `host`, `own` (a container's, told by its root), `unit NAME`, or the inode of a namespace. See `networkKey`. */
  network: string;
  /** Canonical absolute paths, in the order given to Filebeat. */
  mainFiles: readonly string[];
  /** Canonical. Undefined where only the main file is known (a configuration file found by a pattern). */
  pathData?: string;
  /** What is at `pathData`: `device:inode` and owner. */
  dataDirectory?: { id: string; owner: number };
  /** Main files as given, comma-joined. */
  config: string;
  process?: FilebeatProcess;
  /** Of a process: who it may be. */
  identity?: ProcessIdentity;
  /** Of a process: the main files that it sees are those that the host has at their places. Absent: cannot be told. */
  hostView?: boolean;
  /** False, of a process: mode, owner, groups and capabilities all deny it its main file. */
  canRead?: boolean;
  /** Uid that it runs as or is to run as, part of its identity; in a container as that counts. Absent: cannot be told. */
  owner?: number;
  /** Uids that a process of what is expected may have, each of them named; `undefined` where they cannot be told. */
  users?: readonly number[] | undefined;
  /** Whom it counts for: an ordinary user's uid; absent or 0: the system. */
  account?: number;
  /** Of a unit, and of a process that runs in one. */
  unit?: string;
  unitAliases?: readonly string[];
  /** Only a unit that ought to run makes an instance; another one adds its name to a process. */
  shouldRun?: boolean;
  /** Of a unit that a boot does not start. */
  unitOff?: UnitOff;
  /** Why it could not be started as its files are; clauses. */
  failures?: readonly string[];
  container?: string;
  /** What its container keeps when it is made anew. */
  containerName?: string;
  declaredName?: string;
  /** Basename of the program, where it hosts inputs of others: `agentbeat`, `elastic-otel-collector`. */
  host?: string;
  /** Of a remembered one: how it is known in the memory, why it was expected when last seen, and its process in this boot. */
  remembered?: { id: string; name: string; origins: readonly InstanceOrigin[]; process?: ProcessId };
}
