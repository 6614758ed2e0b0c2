/** The state of a shell that is followed, and how its commands end. */
import type { StartUser } from '../../model/model.js';
import { type Launch, type LaunchContext, unknown } from '../launch/launch-context.js';
import type { Dialect, Node } from './parser/shell-tree.js';

export interface Variable {
  text: string;
  /** The elements of a bash array, without gaps. */
  list?: string[];
  exported: boolean;
}

/** What a shell knows; functions that run commands change it in place. Texts may contain `unknown`. */
export interface ShellState {
  dialect: Dialect;
  variables: Map<string, Variable>;
  /** Other variables than these may be set too. */
  variablesIncomplete: boolean;
  name: string;
  args: string[];
  /** The number of arguments is unknown. */
  argsUnknown: boolean;
  cwd: string;
  functions: Map<string, Node>;
  /** Exit status of the last command; undefined: unknown. */
  status: number | undefined;
  /** Exit status of the last command substitution in the current command. */
  substitution?: { status: number | undefined };
  /** Why the shell may not get here; empty: it does. */
  uncertain: readonly string[];
  options: { errexit: boolean; allexport: boolean; nounset: boolean; noglob: boolean };
  /** Above 0 in conditions, where `set -e` does not end the shell. */
  errexitSuspended: number;
  /** The unread text of standard input; undefined: unknown. */
  input: { text: string } | undefined;
  /** What was written to standard output, where it is captured. */
  output: { text: string } | undefined;
  /** A program that does not end was started in the background. */
  hasJobs: boolean;
  /** Per function call, the variables that it declared local, with their values outside. */
  locals: Map<string, Variable | undefined>[];
  launch: Launch;
  world: LaunchContext;
  /** Runs a command; here so that the files below the interpreter need not import it. */
  run: (node: Node, state: ShellState) => Flow;
}

/** Where the shell goes on after a command. */
export type Flow =
  | { kind: 'next' }
  | { kind: 'return' }
  | { kind: 'exit' }
  /** The shell was replaced by another program, or waits for one that does not end. */
  | { kind: 'never-returns' }
  | { kind: 'break' | 'continue'; levels: number };

export const next: Flow = { kind: 'next' };

/** Thrown where expanding a word ends the shell: `${NAME:?}`, `set -u`. */
export class ShellEnds extends Error {}

/** Runs a builtin: sets `state.status`, and returns how the shell goes on. */
export type Builtin = (args: string[], state: ShellState) => Flow;

/** A copy for a subshell, a background job or a branch that may be taken. */
export function copyState(state: ShellState): ShellState {
  return {
    ...state,
    variables: new Map([...state.variables].map(([name, variable]) => [name, { ...variable }])),
    functions: new Map(state.functions),
    args: [...state.args],
    options: { ...state.options },
    locals: state.locals.map((scope) => new Map(scope)),
    input: state.input === undefined ? undefined : { ...state.input },
  };
}

export function setVariable(state: ShellState, name: string, text: string, exported?: boolean): void {
  const before = state.variables.get(name);
  const isExported = exported ?? before?.exported ?? state.options.allexport;
  state.variables.set(name, { text, exported: isExported || state.options.allexport });
}

/** The environment of a program that the shell executes. */
export function exportedOf(state: ShellState): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, { text, list, exported }] of state.variables) {
    if (exported && list === undefined) env[name] = text;
  }
  return env;
}

export function userName({ name, uid }: StartUser): string | undefined {
  return name ?? (uid === 0 ? 'root' : undefined);
}

/** Appends to standard output, where it is captured. */
export function writeOutput(text: string, state: ShellState): void {
  if (state.output !== undefined && state.output.text.length < 100_000) state.output.text += text;
}

/** `set -e`: a command that is known to fail ends the shell. */
export function checkErrexit(state: ShellState): Flow {
  const fails = state.status !== undefined && state.status !== 0;
  return fails && state.options.errexit && state.errexitSuspended === 0 ? { kind: 'exit' } : next;
}

/** How the shell goes on after a command that ended with `state.status`. */
export function afterCommand(flow: Flow, state: ShellState): Flow {
  return flow.kind === 'next' ? checkErrexit(state) : flow;
}

/** A word that stands for any number of unknown words. */
export const unknownWords = `${unknown}*`;

export function setArguments(args: string[], state: ShellState): void {
  state.argsUnknown = args.includes(unknownWords);
  state.args = args;
}
