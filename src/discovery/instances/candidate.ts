/** One reason to know of a Filebeat. */
import type { FilebeatProcess, InstanceOrigin, ProcessId } from '../../model/model.js';

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
  /** Main files as given, comma-joined. */
  config: string;
  process?: FilebeatProcess;
  /** Of a unit, and of a process that runs in one. */
  unit?: string;
  unitAliases?: readonly string[];
  /** Only a unit that ought to run makes an instance; another one adds its name to a process. */
  shouldRun?: boolean;
  container?: string;
  declaredName?: string;
  /** Basename of the program, where it hosts inputs of others: `agentbeat`, `elastic-otel-collector`. */
  host?: string;
  /** Of a remembered one: how it is known in the memory, why it was expected when last seen, and its process in this boot. */
  remembered?: { id: string; name: string; origins: readonly InstanceOrigin[]; process?: ProcessId };
}
