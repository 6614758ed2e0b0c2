/**
 * What following a command line needs and gathers. Nothing is ever run: files are read, and what only running could
 * tell is unknown.
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { FilebeatStart, StartUser } from '../../model/model.js';

export type Environment = Record<string, string>;

/** Stands in a text for what cannot be told. No argument and no variable can hold it. */
export const unknown = '\0';

export const isKnown = (text: string): boolean => !text.includes(unknown);

/** A program that is about to be executed, with all that it inherits. */
export interface Launch {
  /** With argv[0]. */
  argv: string[];
  /** The word by which the program is looked for; argv[0] may be another one. */
  program: string;
  cwd: string;
  env: Environment;
  /** Any variable may be set to what nobody can tell. */
  envOpen: boolean;
  user: StartUser;
  root: string;
  network: FilebeatStart['network'];
  /** Text on its standard input, where that is known. */
  input?: string;
  /** Why it is not certain that this is executed, or how. */
  uncertain: readonly string[];
  /** Launchers and scripts on the way. */
  depth: number;
  /** A shell runs a file without `#!` as a script; systemd does not. */
  byShell: boolean;
}

export interface Outcome {
  /** False: it stays in the foreground, and what follows is not reached. */
  ends: boolean;
  /** Exit status; undefined where only running it could tell. */
  status?: number | undefined;
  /** What it writes to its standard output; absent where that cannot be told. */
  output?: string;
}

export interface World {
  files: FileView;
  /** Basenames that are a Filebeat besides the usual ones, from the settings. */
  processNames: readonly string[];
  /** Certain and uncertain ones, in order; `unit` and `index` are the caller's to say. */
  starts: Omit<FilebeatStart, 'unit' | 'index'>[];
  /** What may start a Filebeat, nobody can tell how; each is a clause for people, and the program or file it is about. */
  unclear: { subject: string; why: string }[];
  /** Why the unit's own command cannot be executed. */
  failures: string[];
  /** Units that somebody asks systemd to start on the way. */
  asked: Set<string>;
  /** Files that are written on the way: what they hold now says nothing. */
  written: Set<string>;
  /** Scripts and what they source. */
  read: Set<string>;
  /** Scripts are followed though they say no word of a Filebeat: for what they write. */
  always?: boolean;
  /** Work that is left: commands of shells and programs followed. */
  steps: { left: number };
  follow: (launch: Launch, world: World) => Outcome;
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Places that a boot fills anew: what lies there now says nothing of the next start. */
const volatile = /^\/(?:run|tmp|dev|proc|sys|var\/run|var\/lock|var\/tmp)(?:\/|$)/;

/** Whether files can tell what will be at this path when the command runs. */
export function isSettled(path: string, world: World): boolean {
  if (volatile.test(path)) return path === '/dev/null';
  return !isWritten(path, world.written);
}

/** It, or a folder above it, is written. */
export function isWritten(path: string, written: ReadonlySet<string>): boolean {
  if (written.size === 0) return false;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (written.has(path.slice(0, end))) return true;
  }
  return false;
}

/** Below a working directory; unknown where either is. */
export function absolute(path: string, cwd: string): string {
  const joined = path.startsWith('/') ? path : `${cwd}/${path}`;
  if (!isKnown(joined)) return unknown;
  const parts: string[] = [];
  for (const part of joined.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Somebody calls a Filebeat by its name in here. */
export function namesFilebeat(text: string, { processNames }: Pick<World, 'processNames'>): boolean {
  return ['filebeat', 'agentbeat', 'elastic-otel-collector', ...processNames].some((name) => text.includes(name));
}
