/** Values of parameters: variables, arguments and the special ones (POSIX shell "2.5 Parameters and Variables"). */
import { isKnown, unknown } from '../../launch/launch-context.js';
import { type ShellState, setVariable } from '../shell-state.js';
import { evaluateArithmetic } from './shell-arithmetic.js';

/** Login and service managers set these; any other variable may be set too where the environment is incomplete. */
const setByManagers = new Set(['PATH', 'HOME', 'USER']);

/** Set by the shell to values that files do not tell. */
const setByShell = new Set(['RANDOM', 'SECONDS', 'LINENO', 'PPID', 'UID', 'EUID', 'HOSTNAME', 'OSTYPE', 'HOSTTYPE']);

/** The value of a parameter; undefined where it is not set. */
export function parameter(name: string, state: ShellState): string | undefined {
  if (/^\d+$/.test(name)) {
    if (name === '0') return state.name;
    return state.argsUnknown ? unknown : state.args[Number(name) - 1];
  }
  switch (name) {
    case '#':
      return state.argsUnknown ? unknown : String(state.args.length);
    case '@':
    case '*':
      return state.argsUnknown ? unknown : state.args.length === 0 ? undefined : state.args.join(' ');
    case '?':
      return state.status === undefined ? unknown : String(state.status);
    case '$':
    case '!':
    case '-':
      return unknown;
  }
  const variable = state.variables.get(name);
  if (variable !== undefined) return variable.list === undefined ? variable.text : variable.list[0];
  if (setByShell.has(name)) {
    return state.dialect === 'bash' || name === 'PPID' || name === 'LINENO' ? unknown : undefined;
  }
  if (name === 'PWD') return state.cwd;
  if (state.dialect === 'bash' && name === 'BASH_SOURCE') return state.name;
  return state.variablesIncomplete && !setByManagers.has(name) ? unknown : undefined;
}

/** The value of an arithmetic expression, as a text. Assignments in it change `state`. */
export function arithmetic(text: string, state: ShellState): string {
  if (!isKnown(text) || text.length > 200) return unknown;
  const numbers = {
    read: (name: string) => parameter(name, state),
    write: (name: string, value: string) => setVariable(state, name, value),
  };
  const value = evaluateArithmetic(text, numbers, unknown);
  return value === undefined ? unknown : String(value);
}
