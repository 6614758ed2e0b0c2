/**
 * How one Filebeat is started, as far as files tell: what a unit, an init script or a supervisor ends in once all
 * launchers and shells before it are followed. It holds a command line and an environment: it never leaves the program.
 */

/** Whom it runs as. A part that is absent cannot be told, and `why` says so. */
export interface StartUser {
  name?: string;
  uid?: number;
  gid?: number;
  why?: string;
}

export interface FilebeatStart {
  /** `filebeat@core.service`; of an init script its name. */
  unit: string;
  /** Of several Filebeats of one unit, in the order in which they start; from 0. */
  index: number;
  /** With argv[0]. */
  argv: string[];
  /** The file that is executed; of one that could not be found, the word that names it. */
  program: string;
  cwd: string;
  user: StartUser;
  /** Directory of the host that is `/` for it. */
  root: string;
  /** `own`: another network than the host's. */
  network: 'host' | 'own' | 'unknown';
  env: Record<string, string>;
  /** Names of variables that may be set to what nobody can tell; `any`: every name may be. */
  envHidden: { any: boolean; names: string[] };
  /** What only running it could tell: with one of these it is no instance but a gap. Each is a clause for people. */
  uncertain: string[];
  /** Scripts, environment files and the like that it was read from. */
  files: string[];
}
