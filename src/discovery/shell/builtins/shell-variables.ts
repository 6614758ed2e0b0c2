/** Builtins that change the directory, variables, arguments and options: `cd`, `set`, `shift`, `export`, `unset`, `read`, `getopts`. */
import { absolute, isKnown, unknown } from '../../launch/launch-context.js';
import { splitFields } from '../expand/shell-fields.js';
import { statOf } from '../expand/shell-files.js';
import { parameter } from '../expand/shell-parameters.js';
import { type Builtin, type Flow, next, type ShellState, setArguments, setVariable } from '../shell-state.js';

const optionLetters: Record<string, keyof ShellState['options']> = {
  e: 'errexit',
  a: 'allexport',
  u: 'nounset',
  f: 'noglob',
};
const optionNames = Object.values(optionLetters);

export function set(args: string[], state: ShellState): Flow {
  state.status = 0;
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at]!;
    if (word === '--' || word === '-') {
      at += 1;
      setArguments(args.slice(at), state);
      return next;
    }
    if (!/^[-+]./.test(word)) break;
    const isOn = word.startsWith('-');
    for (const letter of word.slice(1)) {
      const long = letter === 'o' ? (args[++at] ?? '') : undefined;
      const option = long === undefined ? optionLetters[letter] : optionNames.find((name) => name === long);
      if (option !== undefined) state.options[option] = isOn;
    }
  }
  if (at < args.length) setArguments(args.slice(at), state);
  return next;
}

export function shift([count = '1']: string[], state: ShellState): Flow {
  const by = Number(count);
  if (!isKnown(count) || Number.isNaN(by)) state.argsUnknown = true;
  if (by > state.args.length && !state.argsUnknown) {
    state.status = state.dialect === 'posix' ? 2 : 1;
    // dash ends here.
    return state.dialect === 'posix' ? { kind: 'exit' } : next;
  }
  state.args = state.args.slice(by);
  state.status = 0;
  return next;
}

/** `export`, `readonly`, `local` and `declare` of `NAME` and `NAME=value`. */
export const declaration =
  (kind: 'export' | 'readonly' | 'local'): Builtin =>
  (args, state) => {
    state.status = 0;
    let isExported: boolean | undefined = kind === 'export' ? true : undefined;
    for (const word of args) {
      if (/^[-+]/.test(word)) {
        if (word.includes('x')) isExported = word.startsWith('-');
        if (word.includes('n') && kind === 'export') isExported = false;
        continue;
      }
      const [, name, value] = /^([A-Za-z_]\w*)(?:=([\s\S]*))?$/.exec(word) ?? [];
      if (name === undefined) continue;
      const scope = state.locals.at(-1);
      if (kind === 'local' && scope !== undefined && !scope.has(name)) {
        const before = state.variables.get(name);
        scope.set(name, before && { ...before });
        if (value === undefined && state.dialect === 'bash') state.variables.delete(name);
      }
      const before = state.variables.get(name);
      if (value !== undefined) setVariable(state, name, value, isExported ?? before?.exported ?? false);
      else if (before !== undefined && isExported !== undefined) before.exported = isExported;
    }
    return next;
  };

export function unset(args: string[], state: ShellState): Flow {
  state.status = 0;
  const isFunction = args[0] === '-f';
  for (const name of args.filter((word) => !word.startsWith('-'))) {
    if (isFunction) state.functions.delete(name);
    else if (state.variablesIncomplete) setVariable(state, name, '', false);
    if (!isFunction) state.variables.delete(name);
  }
  return next;
}

export function read(args: string[], state: ShellState): Flow {
  const names = args.filter((word) => !word.startsWith('-'));
  const isRaw = args.some((word) => /^-\w*r/.test(word));
  const isPlain = args.every((word) => !word.startsWith('-') || word === '-r');
  const targets = names.length === 0 ? ['REPLY'] : names;
  const input = state.input;
  const end = input === undefined ? -1 : input.text.indexOf('\n');
  const line = input?.text.slice(0, end < 0 ? undefined : end);
  if (input === undefined || !isPlain || line === undefined || !isKnown(line) || (!isRaw && line.includes('\\'))) {
    for (const name of targets) setVariable(state, name, unknown);
    state.input = undefined;
    state.status = undefined;
    return next;
  }
  input.text = end < 0 ? '' : input.text.slice(end + 1);
  state.status = end < 0 ? 1 : 0;
  const pieces = splitFields(line, state, targets.length) ?? [];
  for (const [at, name] of targets.entries()) setVariable(state, name, pieces[at] ?? '');
  return next;
}

export function getopts([options = '', name = 'opt', ...given]: string[], state: ShellState): Flow {
  const args = given.length > 0 ? given : state.args;
  if (state.argsUnknown || args.some((word) => !isKnown(word))) {
    for (const one of [name, 'OPTARG', 'OPTIND']) setVariable(state, one, unknown);
    state.status = undefined;
    return next;
  }
  const index = Number(state.variables.get('OPTIND')?.text ?? '1');
  const offset = Number(state.variables.get(' getopts')?.text ?? '1');
  const word = args[index - 1];
  const finish = (status: number, option: string, to: number, offset = 1) => {
    setVariable(state, name, option);
    setVariable(state, 'OPTIND', String(to));
    setVariable(state, ' getopts', String(offset), false);
    state.status = status;
    return next;
  };
  if (word === undefined || word === '-' || !word.startsWith('-')) return finish(1, '?', index);
  if (word === '--') return finish(1, '?', index + 1);
  const letter = word[offset]!;
  const known = options.replace(/^:/, '').indexOf(letter);
  const isLast = offset + 1 >= word.length;
  const after = isLast ? index + 1 : index;
  const nextOffset = isLast ? 1 : offset + 1;
  state.variables.delete('OPTARG');
  if (known < 0 || letter === ':') return finish(0, '?', after, nextOffset);
  if (options.replace(/^:/, '')[known + 1] !== ':') return finish(0, letter, after, nextOffset);
  const value = isLast ? args[index] : word.slice(offset + 1);
  if (value === undefined) return finish(0, options.startsWith(':') ? ':' : '?', index + 1);
  setVariable(state, 'OPTARG', value);
  return finish(0, letter, isLast ? index + 2 : index + 1);
}

export function changeDirectory(args: string[], state: ShellState): Flow {
  const [target = parameter('HOME', state)] = args.filter((word) => !/^-[LPe@]*$/.test(word) || word === '-');
  state.status = 0;
  const before = state.cwd;
  if (target === undefined || target === '-' || !isKnown(target)) {
    const last = target === '-' ? state.variables.get('OLDPWD')?.text : undefined;
    state.cwd = last ?? unknown;
    if (last === undefined) state.status = undefined;
    return next;
  }
  const path = absolute(target, state.cwd);
  const stat = statOf(path, state.world);
  if (stat === 'missing' || (stat !== undefined && stat.kind !== 'directory')) {
    state.status = state.dialect === 'posix' ? 2 : 1;
    return next;
  }
  state.cwd = path;
  setVariable(state, 'OLDPWD', before, false);
  return next;
}
