/** Who a process is: the facts that tell which instances it may be, and what was found. */

/** Uids or gids of a user namespace as the exporter counts them: the first, and how many. */
export interface IdRange {
  outside: number;
  count: number;
}

/** Whom a process runs as and what it can do, all from `/proc/<pid>`; absent is what could not be read. */
export interface Standing {
  /** Real, effective and saved, as the exporter's user namespace counts. */
  uids: readonly number[];
  /** The effective one as its own user namespace counts: what a container knows. */
  innerUid: number;
  groups: readonly number[];
  /** CAP_DAC_OVERRIDE or CAP_DAC_READ_SEARCH over the files of the host. */
  readsAll: boolean;
  /** The same capabilities in a user namespace of its own: they hold for files of these owners and groups. */
  opens?: { uids: readonly IdRange[]; gids: readonly IdRange[] };
  /** Whom it counts for: an ordinary user's uid; 0 is the system (root, a unit, a container of a system engine). */
  account: number;
  /** Unit of the host's systemd whose own control group it is in: only root puts it there. */
  unit?: string;
  /** That unit runs commands of any user (cron, at, a login): to be in it proves nothing. */
  unitServesUsers?: true;
  /** Unit of its user's own systemd. */
  userUnit?: string;
  /** A name that its container keeps when it is made anew: the engine's, or its pod's. */
  containerName?: string;
  /** False: its `exe` is another program than the command line says. */
  isProgram?: boolean;
  /** It lives in the host's mount namespace. */
  hostMounts?: boolean;
}

/** What a process cannot have if it were a certain instance. */
export type Difference = 'user' | 'unit' | 'network namespace' | 'files' | 'program' | 'permission';

/** What ties a process to an expected instance, strongest first. */
export type Claim = 'cgroup' | 'process' | 'user';

export type Answer =
  | { is: 'belongs'; by: Claim }
  | { is: 'cannot'; differs: Difference }
  /** Nothing that can be read speaks for it. */
  | { is: 'unknown' };

/** Why the process of an instance is that instance, or is not another one. */
export interface Identity {
  /** What ties it to what is expected; absent: nothing but the process itself makes this instance. */
  claim?: Claim;
  /** It runs outside the unit that ought to run it. */
  outsideUnit?: true;
  /** The expected instance whose command line it has, and why it is not that one. */
  imitates?: { name: string; differs: Difference };
}
