/** What a shell knows while it runs. */
import type { StartUser } from '../../model/model.js';
import type { Launch, World } from '../launch/launch-world.js';
import type { Dialect, Node } from './shell-syntax.js';

export interface Variable {
  text: string;
  /** An array of bash; holes are not kept. */
  list?: string[];
  exported: boolean;
}

export interface ShellState {
  dialect: Dialect;
  variables: Map<string, Variable>;
  /** Variables that are not set here may be set all the same. */
  open: boolean;
  name: string;
  args: string[];
  /** How many arguments there are is not known. */
  argsUnknown: boolean;
  cwd: string;
  functions: Map<string, Node>;
  status: number | undefined;
  /** Status of the last command substitution within this command. */
  substituted?: { status: number | undefined };
  /** Why it is not certain that the shell comes here; empty: it does. */
  uncertain: readonly string[];
  options: { errexit: boolean; allexport: boolean; nounset: boolean; noglob: boolean };
  /** Within a condition `set -e` ends nothing. */
  guarded: number;
  /** Text that standard input still holds; undefined: not known. */
  input: { text: string } | undefined;
  /** What was written to standard output, where somebody wants to know. */
  output: { text: string } | undefined;
  /** A Filebeat or something else was put into the background and stays. */
  jobs: boolean;
  /** Variables that functions keep for themselves: what they were before. */
  locals: Map<string, Variable | undefined>[];
  launch: Launch;
  world: World;
  run: (node: Node, state: ShellState) => Flow;
}

export type Flow =
  | { kind: 'next' }
  | { kind: 'return' }
  | { kind: 'exit' }
  /** The shell became another program, or waits for one that stays. */
  | { kind: 'gone' }
  | { kind: 'break' | 'continue'; levels: number };

export const next: Flow = { kind: 'next' };

/** Thrown where the shell itself would end in the middle of a word: `${NAME:?}`, `set -u`. */
export class ShellEnds extends Error {}

/** For a subshell, a job, or a branch that may be taken. */
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

/** What a program that the shell executes gets. */
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
