/**
 * How one Filebeat is started, as far as files show: the end of the chain of launchers and shells that a unit, an init script or a
 * supervisor starts. It contains a command line and an environment, so it never leaves the program.
 */

/** The user it runs as. Absent parts are unknown, and `why` gives the reason. */
export interface StartUser {
  name?: string;
  uid?: number;
  gid?: number;
  why?: string;
}

/** One Filebeat that a unit, an init script or a declared command line starts. */
export interface FilebeatStart {
  /** `filebeat@core.service`, or the name of an init script. */
  unit: string;
  /** Order of start among the Filebeats of one unit, from 0. */
  index: number;
  /** With argv[0]. */
  argv: string[];
  /** The executed file, or the word that names it if the file was not found. */
  program: string;
  cwd: string;
  user: StartUser;
  /** Directory of the host that is `/` for it. */
  root: string;
  /** `own`: another network than the host's. */
  network: 'host' | 'own' | 'unknown';
  env: Record<string, string>;
  /** Names of variables with unknown values; `any`: every variable may have one. */
  envHidden: { any: boolean; names: string[] };
  /** What only a run could show, as clauses for people. If there are any, it becomes a gap instead of an instance. */
  uncertain: string[];
  /** Scripts, environment files and other files that it was read from. */
  files: string[];
}
