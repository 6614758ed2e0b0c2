/** Input and results of following a command line. Nothing is executed: what depends on running a program is unknown. */
import type { FileView } from '../../filebeat/files/file-view.js';
import type { FilebeatStart, StartUser } from '../../model/model.js';
import type { Node } from '../shell/parser/shell-tree.js';

export type Environment = Record<string, string>;

/** Stands for an unknown part of a text. It is NUL, which no argument or variable can contain. */
export const unknown = '\0';

export const isKnown = (text: string): boolean => !text.includes(unknown);

/** A program that is about to be executed, with everything it inherits. */
export interface Launch {
  /** With argv[0]. */
  argv: string[];
  /** The name or path that is executed; argv[0] may differ. */
  program: string;
  cwd: string;
  env: Environment;
  /** Other variables may be set too, to unknown values. */
  envIncomplete: boolean;
  user: StartUser;
  root: string;
  network: FilebeatStart['network'];
  /** The text on its standard input, where known. */
  input?: string;
  /** Why it is not certain that this is executed, or how. */
  uncertain: readonly string[];
  /** Number of launchers and scripts before this program. */
  depth: number;
  /** Started by a shell, which runs a file without `#!` as a script; the kernel does not. */
  byShell: boolean;
}

/** How a program ends. */
export interface Outcome {
  /** False: it stays in the foreground, and the commands after it are not reached. */
  ends: boolean;
  /** Exit status; undefined where unknown. */
  status?: number | undefined;
  /** What it writes to standard output; absent where unknown. */
  output?: string;
}

/** The files of the host, and the results of following a command line. */
export interface LaunchContext {
  files: FileView;
  /** Additional basenames of Filebeat programs, from the settings. */
  processNames: readonly string[];
  /** Certain and uncertain starts, in order; the caller adds `unit` and `index`. */
  starts: Omit<FilebeatStart, 'unit' | 'index'>[];
  /** Programs and files that may start a Filebeat in an unknown way; `why` is a clause for people. */
  unclear: { subject: string; why: string }[];
  /** Why the unit's own command cannot be executed. */
  failures: string[];
  /** Units that `systemctl start` names. */
  requestedUnits: Set<string>;
  /** Files that are written before the start: their present content does not count. */
  written: Set<string>;
  /** Scripts, and the files that they source. */
  read: Set<string>;
  /** Also follow scripts that do not name a Filebeat, for the files that they write. */
  always?: boolean;
  /** Scripts that were parsed before, by dialect and text: several units may run the same script. */
  parsed: Map<string, Node>;
  /** How many more commands and programs are followed. */
  steps: { left: number };
  follow: (launch: Launch, world: LaunchContext) => Outcome;
}

export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Directories that are filled at boot: their present content does not count. */
const volatile = /^\/(?:run|tmp|dev|proc|sys|var\/run|var\/lock|var\/tmp)(?:\/|$)/;

/** Whether the file at this path will still be the same when the command runs. */
export function isSettled(path: string, world: LaunchContext): boolean {
  if (volatile.test(path)) return path === '/dev/null';
  return !isWritten(path, world.written);
}

/** Whether the path or a directory above it is written. */
export function isWritten(path: string, written: ReadonlySet<string>): boolean {
  if (written.size === 0) return false;
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (written.has(path.slice(0, end))) return true;
  }
  return false;
}

/** An absolute path without `.` and `..`; unknown where a part is. */
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

/** Whether a text names a Filebeat. */
export function namesFilebeat(text: string, { processNames }: Pick<LaunchContext, 'processNames'>): boolean {
  return ['filebeat', 'agentbeat', 'elastic-otel-collector', ...processNames].some((name) => text.includes(name));
}

/** The outcome of a program of which nothing else is known. */
export const ended: Outcome = { ends: true };

/** Notes that `subject` may start a Filebeat; with `text` only where that names one. */
export function unclear(subject: string, why: string, world: LaunchContext, text?: string): Outcome {
  if (text === undefined || namesFilebeat(text, world)) world.unclear.push({ subject, why });
  return ended;
}
