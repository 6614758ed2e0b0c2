/** The identity of a process: facts that decide which instance it is, and the result. */

/** A range of uids or gids of a user namespace, as the exporter's namespace numbers them. */
export interface IdRange {
  outside: number;
  count: number;
}

/** User and capabilities of a process, from `/proc/<pid>`; absent fields could not be read. */
export interface ProcessIdentity {
  /** Real, effective and saved uid, as the exporter's user namespace numbers them. */
  uids: readonly number[];
  /** The effective uid in its own user namespace, as in a container. */
  innerUid: number;
  groups: readonly number[];
  /** CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH over the files of the host. */
  readsAll: boolean;
  /** The same capabilities in a user namespace, where they apply to files of these owners and groups. */
  opens?: { uids: readonly IdRange[]; gids: readonly IdRange[] };
  /** Uid of the ordinary user who owns it; 0: the system (root, a unit, a container of a system engine). */
  account: number;
  /** Unit of the host's systemd whose own control group it is in; only root can move a process there. */
  unit?: string;
  /** That unit runs commands of any user (cron, at, a login): being in it proves nothing. */
  unitServesUsers?: true;
  /** Unit of its user's systemd. */
  userUnit?: string;
  /** A name that its container keeps when it is recreated: the engine's or its pod's. */
  containerName?: string;
  /** False: `exe` is another program than the command line names. */
  isProgram?: boolean;
  /** It is in the host's mount namespace. */
  hostMounts?: boolean;
}

/** Facts that rule out that a process is a certain instance. */
export type Difference = 'user' | 'unit' | 'network namespace' | 'files' | 'program' | 'permission';

/** Facts that link a process to an expected instance, strongest first. */
export type Claim = 'cgroup' | 'process' | 'user';

/** Whether a process is a certain instance. */
export type Answer =
  | { is: 'belongs'; by: Claim }
  | { is: 'cannot'; differs: Difference }
  /** No readable fact supports it. */
  | { is: 'unknown' };

/** Why the process of an instance is that instance, or is not another one. */
export interface Identity {
  /** The link to an expected instance; absent: only the process makes this instance known. */
  claim?: Claim;
  /** It runs outside the unit that should run it. */
  outsideUnit?: true;
  /** The expected instance with the same command line, and why it is not that one. */
  imitates?: { name: string; differs: Difference };
}
