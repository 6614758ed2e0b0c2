/** Commands that a shell runs itself, and small programs whose answer files and words tell. */
import { posix } from 'node:path';
import { absolute, baseName, isKnown, unknown } from '../launch/launch-world.js';
import { findProgram } from '../launch/programs.js';
import { parameter, splitFields, unknownWords } from './shell-expand.js';
import { readScript, statOf } from './shell-files.js';
import { type Flow, next, type ShellState, setVariable, userName } from './shell-state.js';
import { test } from './shell-truth.js';

/** What became of a command: how the shell goes on; `state.status` holds its exit status. */
export type Builtin = (args: string[], state: ShellState) => Flow;

const done =
  (status: number | undefined): Builtin =>
  (_, state) => {
    state.status = status;
    return next;
  };

const truth = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : value ? 0 : 1);

const leaves =
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

/** Writes to standard output, where somebody wants to know. */
export function say(text: string, state: ShellState): void {
  if (state.output !== undefined && state.output.text.length < 100_000) state.output.text += text;
}

function changeDirectory(args: string[], state: ShellState): Flow {
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
  // A folder that a boot makes anew is there by the time somebody goes into it, or the script has failed.
  setVariable(state, 'OLDPWD', before, false);
  return next;
}

function set(args: string[], state: ShellState): Flow {
  state.status = 0;
  const flags: Record<string, keyof ShellState['options']> = {
    e: 'errexit',
    a: 'allexport',
    u: 'nounset',
    f: 'noglob',
  };
  const names: Record<string, keyof ShellState['options']> = {
    errexit: 'errexit',
    allexport: 'allexport',
    nounset: 'nounset',
    noglob: 'noglob',
  };
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
      const flag = long === undefined ? flags[letter] : Object.hasOwn(names, long) ? names[long] : undefined;
      if (flag !== undefined) state.options[flag] = isOn;
    }
  }
  if (at < args.length) setArguments(args.slice(at), state);
  return next;
}

export function setArguments(args: string[], state: ShellState): void {
  state.argsUnknown = args.includes(unknownWords);
  state.args = args;
}

function shift([count = '1']: string[], state: ShellState): Flow {
  const by = Number(count);
  if (!isKnown(count) || Number.isNaN(by)) state.argsUnknown = true;
  if (by > state.args.length && !state.argsUnknown) {
    state.status = state.dialect === 'posix' ? 2 : 1;
    // dash ends over it.
    return state.dialect === 'posix' ? { kind: 'exit' } : next;
  }
  state.args = state.args.slice(by);
  state.status = 0;
  return next;
}

/** `export`, `readonly`, `local`, `declare`: words `NAME` and `NAME=value`, already expanded. */
const declares =
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

function unset(args: string[], state: ShellState): Flow {
  state.status = 0;
  const isFunction = args[0] === '-f';
  for (const name of args.filter((word) => !word.startsWith('-'))) {
    if (isFunction) state.functions.delete(name);
    else if (state.open) setVariable(state, name, '', false);
    if (!isFunction) state.variables.delete(name);
  }
  return next;
}

function read(args: string[], state: ShellState): Flow {
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

function getopts([options = '', name = 'opt', ...given]: string[], state: ShellState): Flow {
  const args = given.length > 0 ? given : state.args;
  if (state.argsUnknown || args.some((word) => !isKnown(word))) {
    for (const one of [name, 'OPTARG', 'OPTIND']) setVariable(state, one, unknown);
    state.status = undefined;
    return next;
  }
  const index = Number(state.variables.get('OPTIND')?.text ?? '1');
  const offset = Number(state.variables.get(' getopts')?.text ?? '1');
  const word = args[index - 1];
  const finish = (status: number, option: string, to: number, rest = 1) => {
    setVariable(state, name, option);
    setVariable(state, 'OPTIND', String(to));
    setVariable(state, ' getopts', String(rest), false);
    state.status = status;
    return next;
  };
  if (word === undefined || word === '-' || !word.startsWith('-')) return finish(1, '?', index);
  if (word === '--') return finish(1, '?', index + 1);
  const letter = word[offset]!;
  const known = options.replace(/^:/, '').indexOf(letter);
  const isLast = offset + 1 >= word.length;
  const after = isLast ? index + 1 : index;
  const rest = isLast ? 1 : offset + 1;
  state.variables.delete('OPTARG');
  if (known < 0 || letter === ':') return finish(0, '?', after, rest);
  if (options.replace(/^:/, '')[known + 1] !== ':') return finish(0, letter, after, rest);
  const value = isLast ? args[index] : word.slice(offset + 1);
  if (value === undefined) return finish(0, options.startsWith(':') ? ':' : '?', index + 1);
  setVariable(state, 'OPTARG', value);
  return finish(0, letter, isLast ? index + 2 : index + 1);
}

function echo(args: string[], state: ShellState): Flow {
  const [flag] = args;
  const isBare = flag === '-n';
  const text = (isBare ? args.slice(1) : args).join(' ');
  const isOdd = /^-[neE]+$/.test(flag ?? '') && !isBare;
  // dash reads escapes, bash does not.
  say(isOdd || (text.includes('\\') && state.dialect === 'posix') ? unknown : text, state);
  if (!isBare) say('\n', state);
  state.status = 0;
  return next;
}

function printf(args: string[], state: ShellState): Flow {
  state.status = 0;
  if (args[0] === '-v') {
    if (args[1] !== undefined) setVariable(state, args[1], unknown);
    return next;
  }
  const [format = '', ...values] = args[0] === '--' ? args.slice(1) : args;
  const text = formatted(format, values);
  say(text, state);
  return next;
}

function formatted(format: string, values: string[]): string {
  if (/%[^sd%]|\\[^nt\\]/.test(format) || !isKnown(format)) return unknown;
  let text = '';
  const rest = [...values];
  do {
    text += format.replace(/%[sd%]|\\[nt\\]/g, (one) => {
      if (one === '%%') return '%';
      if (one === '%s') return rest.shift() ?? '';
      if (one === '%d') {
        const number = rest.shift() ?? '0';
        return /^-?\d+$/.test(number) ? number : unknown;
      }
      return one === '\\n' ? '\n' : one === '\\t' ? '\t' : '\\';
    });
  } while (rest.length > 0 && /%[sd]/.test(format) && text.length < 100_000);
  return text;
}

function sleep(args: string[], state: ShellState): Flow {
  const [time = ''] = args;
  state.status = 0;
  return time === 'infinity' || time === 'inf' ? { kind: 'gone' } : next;
}

/** `command -v NAME`, `which NAME`, `type -p NAME`. */
export function lookUp(names: readonly string[], state: ShellState, isShell: boolean): Flow {
  state.status = 0;
  for (const name of names) {
    if (!isKnown(name)) {
      say(unknown, state);
      state.status = undefined;
    } else if (isShell && (state.functions.has(name) || Object.hasOwn(builtins, name))) {
      say(`${name}\n`, state);
    } else {
      const env = { PATH: parameter('PATH', state) ?? '' };
      const found = findProgram(name, { cwd: state.cwd, env }, state.world);
      if (found.kind === 'missing') state.status = 1;
      else if (found.kind === 'unknown') {
        say(unknown, state);
        state.status = undefined;
      } else say(`${found.path}\n`, state);
    }
  }
  return next;
}

function concatenate(args: string[], state: ShellState): Flow {
  const files = args.filter((word) => !word.startsWith('-') || word === '-');
  state.status = undefined;
  if (files.length === 0 || files.includes('-')) {
    say(state.input?.text ?? unknown, state);
    if (state.input !== undefined) state.input.text = '';
    state.status = 0;
    return next;
  }
  for (const file of files) {
    const path = absolute(file, state.cwd);
    const stat = statOf(path, state.world);
    const text =
      stat !== undefined && stat !== 'missing' && stat.kind === 'file' ? readScript(path, state.world) : undefined;
    say(stat === 'missing' ? '' : (text ?? unknown), state);
    state.status = stat === 'missing' ? 1 : text === undefined ? undefined : 0;
  }
  return next;
}

/** `… | grep -q TEXT` over a text that is known. */
function grep(args: string[], state: ShellState): Flow {
  const words = args.filter((word) => !/^-[qsF]+$/.test(word) && word !== '--');
  const [pattern = ''] = words;
  const input = state.input?.text;
  const isPlain = words.length === 1 && /^[\w ./:=-]+$/.test(pattern) && !pattern.includes('.');
  const isKnownText = isPlain && input !== undefined && isKnown(input);
  if (!args.some((word) => /^-[sF]*q/.test(word))) say(unknown, state);
  state.status = isKnownText ? (input.includes(pattern) ? 0 : 1) : undefined;
  return next;
}

/** Programs that print what their words say. */
const tellers: Record<string, (args: string[], state: ShellState) => string | undefined> = {
  dirname: ([path]) => (path === undefined ? undefined : posix.dirname(path)),
  basename: ([path, suffix]) => {
    if (path === undefined || path.startsWith('-')) return undefined;
    const base = posix.basename(path);
    return suffix !== undefined && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base;
  },
  pwd: (_, state) => state.cwd,
  readlink: (args, state) => canonicalPath(args, state, /^-(?:f|e|m)$/),
  realpath: (args, state) => canonicalPath(args, state),
  id: (args, state) => {
    const { uid, gid } = state.launch.user;
    const which = args.join('');
    if (which === '-u') return uid === undefined ? undefined : String(uid);
    if (which === '-g') return gid === undefined ? undefined : String(gid);
    return which === '-un' || which === '-nu' ? userName(state.launch.user) : undefined;
  },
  whoami: (_, state) => userName(state.launch.user),
  uname: (args) => (args.length === 0 || args.join('') === '-s' ? 'Linux' : undefined),
  seq: (args) => {
    const [from, to] = args.length === 1 ? [1, Number(args[0])] : args.map(Number);
    if (args.length > 2 || from === undefined || to === undefined || Number.isNaN(from + to) || to - from > 1000) {
      return undefined;
    }
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => String(from + step)).join('\n');
  },
};

function canonicalPath(args: string[], { cwd, world }: ShellState, flag?: RegExp): string | undefined {
  const paths = args.filter((word) => !word.startsWith('-'));
  const isAsked = flag === undefined ? args.length === 1 : args.length === 2 && args.some((word) => flag.test(word));
  if (!isAsked || paths.length !== 1) return undefined;
  const path = absolute(paths[0]!, cwd);
  if (statOf(path, world) === undefined) return undefined;
  const real = world.files.resolve(path);
  return real.ok ? real.value : undefined;
}

/** A small program by its name; undefined where it is none of those whose answer is known. */
export function tell(name: string, args: string[], state: ShellState): boolean {
  const teller = Object.hasOwn(tellers, name) ? tellers[name] : undefined;
  if (teller === undefined) return false;
  const text = args.every(isKnown) ? teller(args, state) : undefined;
  say(text === undefined ? unknown : `${text}\n`, state);
  state.status = text === undefined ? undefined : 0;
  return true;
}

export const builtins: Record<string, Builtin> = {
  ':': done(0),
  true: done(0),
  false: done(1),
  test: (args, state) => done(truth(test(args, state)))(args, state),
  '[': (args, state) => {
    const isClosed = args.at(-1) === ']';
    return done(isClosed ? truth(test(args.slice(0, -1), state)) : 2)(args, state);
  },
  cd: changeDirectory,
  set,
  shift,
  export: declares('export'),
  readonly: declares('readonly'),
  local: declares('local'),
  declare: declares('local'),
  typeset: declares('local'),
  unset,
  read,
  getopts,
  echo,
  printf,
  exit: leaves('exit'),
  return: leaves('return'),
  break: jumps('break'),
  continue: jumps('continue'),
  umask: done(0),
  ulimit: done(0),
  trap: done(0),
  alias: done(0),
  hash: done(0),
  shopt: done(0),
  times: done(0),
  kill: done(undefined),
  jobs: done(undefined),
  /** Of /etc/init.d/functions: asked for nothing it tells how it is called. */
  status: (args, state) => {
    say(args.length === 0 ? 'Usage: status [-p pidfile] {program}\n' : unknown, state);
    state.status = args.length === 0 ? 1 : undefined;
    return next;
  },
  wait: (args, state) => {
    state.status = args.length === 0 ? 0 : undefined;
    return state.jobs ? { kind: 'gone' } : next;
  },
};

/** Programs with an answer of their own, by basename. */
export const programs: Record<string, Builtin> = {
  sleep,
  cat: concatenate,
  grep,
  which: (args, state) =>
    lookUp(
      args.filter((word) => !word.startsWith('-')),
      state,
      false,
    ),
  true: done(0),
  false: done(1),
  echo,
  printf,
  test: builtins['test']!,
  '[': builtins['[']!,
};

export function programNamed(word: string): Builtin | undefined {
  const name = baseName(word);
  return Object.hasOwn(programs, name) ? programs[name] : undefined;
}
