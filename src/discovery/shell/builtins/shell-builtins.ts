/** Builtins of the shell, and programs that are followed in the same way, by name. */
import { baseName, isKnown, unknown } from '../../launch/launch-context.js';
import { findProgram } from '../../launch/programs.js';
import { parameter } from '../expand/shell-parameters.js';
import { type Builtin, type Flow, next, type ShellState, writeOutput } from '../shell-state.js';
import { concatenate, echo, grep, printf } from './shell-output.js';
import { test } from './shell-test.js';
import { changeDirectory, declaration, getopts, read, set, shift, unset } from './shell-variables.js';

const withStatus =
  (status: number | undefined): Builtin =>
  (_, state) => {
    state.status = status;
    return next;
  };

const exitStatus = (value: boolean | undefined): number | undefined =>
  value === undefined ? undefined : value ? 0 : 1;

const leavesWith =
  (kind: 'exit' | 'return'): Builtin =>
  ([status], state) => {
    if (status !== undefined) state.status = isKnown(status) ? Number(status) : undefined;
    return { kind };
  };

const jumps =
  (kind: 'break' | 'continue'): Builtin =>
  ([levels], state) => {
    state.status = 0;
    return { kind, levels: Math.max(1, Number(levels ?? 1) || 1) };
  };

function sleep(args: string[], state: ShellState): Flow {
  const [time = ''] = args;
  state.status = 0;
  return time === 'infinity' || time === 'inf' ? { kind: 'never-returns' } : next;
}

/** `command -v NAME`, `which NAME`, `type -p NAME`. `isShell`: functions and builtins are found too. */
export function lookUp(names: readonly string[], state: ShellState, isShell: boolean): Flow {
  state.status = 0;
  for (const name of names) {
    if (!isKnown(name)) {
      writeOutput(unknown, state);
      state.status = undefined;
    } else if (isShell && (state.functions.has(name) || builtinNamed(name) !== undefined)) {
      writeOutput(`${name}\n`, state);
    } else {
      const env = { PATH: parameter('PATH', state) ?? '' };
      const found = findProgram(name, { cwd: state.cwd, env }, state.world);
      if (found.kind === 'missing') state.status = 1;
      else if (found.kind === 'unknown') {
        writeOutput(unknown, state);
        state.status = undefined;
      } else writeOutput(`${found.path}\n`, state);
    }
  }
  return next;
}

/** By name. */
const builtins: Record<string, Builtin> = {
  ':': withStatus(0),
  true: withStatus(0),
  false: withStatus(1),
  test: (args, state) => withStatus(exitStatus(test(args, state)))(args, state),
  '[': (args, state) => {
    const isClosed = args.at(-1) === ']';
    return withStatus(isClosed ? exitStatus(test(args.slice(0, -1), state)) : 2)(args, state);
  },
  cd: changeDirectory,
  set,
  shift,
  export: declaration('export'),
  readonly: declaration('readonly'),
  local: declaration('local'),
  declare: declaration('local'),
  typeset: declaration('local'),
  unset,
  read,
  getopts,
  echo,
  printf,
  exit: leavesWith('exit'),
  return: leavesWith('return'),
  break: jumps('break'),
  continue: jumps('continue'),
  umask: withStatus(0),
  ulimit: withStatus(0),
  trap: withStatus(0),
  alias: withStatus(0),
  hash: withStatus(0),
  shopt: withStatus(0),
  times: withStatus(0),
  kill: withStatus(undefined),
  jobs: withStatus(undefined),
  /** A function of /etc/init.d/functions; without arguments it prints its usage. */
  status: (args, state) => {
    writeOutput(args.length === 0 ? 'Usage: status [-p pidfile] {program}\n' : unknown, state);
    state.status = args.length === 0 ? 1 : undefined;
    return next;
  },
  wait: (args, state) => {
    state.status = args.length === 0 ? 0 : undefined;
    return state.hasJobs ? { kind: 'never-returns' } : next;
  },
};

/** Programs by basename. */
const programs: Record<string, Builtin> = {
  sleep,
  cat: concatenate,
  grep,
  which: (args, state) =>
    lookUp(
      args.filter((word) => !word.startsWith('-')),
      state,
      false,
    ),
  true: withStatus(0),
  false: withStatus(1),
  echo,
  printf,
  test: builtins['test']!,
  '[': builtins['[']!,
};

export function programNamed(word: string): Builtin | undefined {
  const name = baseName(word);
  return Object.hasOwn(programs, name) ? programs[name] : undefined;
}

export function builtinNamed(name: string): Builtin | undefined {
  return Object.hasOwn(builtins, name) ? builtins[name] : undefined;
}
