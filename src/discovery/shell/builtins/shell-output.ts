/** Programs and builtins whose output follows from their arguments and from files: `echo`, `cat`, `dirname`, `id` … */
import { posix } from 'node:path';
import { absolute, isKnown, unknown } from '../../launch/launch-context.js';
import { readScript, statOf } from '../expand/shell-files.js';
import { type Flow, next, type ShellState, setVariable, userName, writeOutput } from '../shell-state.js';

export function echo(args: string[], state: ShellState): Flow {
  const [flag] = args;
  const isBare = flag === '-n';
  const text = (isBare ? args.slice(1) : args).join(' ');
  const isOdd = /^-[neE]+$/.test(flag ?? '') && !isBare;
  // dash interprets escapes, bash does not.
  writeOutput(isOdd || (text.includes('\\') && state.dialect === 'posix') ? unknown : text, state);
  if (!isBare) writeOutput('\n', state);
  state.status = 0;
  return next;
}

export function printf(args: string[], state: ShellState): Flow {
  state.status = 0;
  if (args[0] === '-v') {
    if (args[1] !== undefined) setVariable(state, args[1], unknown);
    return next;
  }
  const [format = '', ...values] = args[0] === '--' ? args.slice(1) : args;
  const text = formatted(format, values);
  writeOutput(text, state);
  return next;
}

function formatted(format: string, values: string[]): string {
  if (/%[^sd%]|\\[^nt\\]/.test(format) || !isKnown(format)) return unknown;
  let text = '';
  const ahead = [...values];
  do {
    text += format.replace(/%[sd%]|\\[nt\\]/g, (one) => {
      if (one === '%%') return '%';
      if (one === '%s') return ahead.shift() ?? '';
      if (one === '%d') {
        const number = ahead.shift() ?? '0';
        return /^-?\d+$/.test(number) ? number : unknown;
      }
      return one === '\\n' ? '\n' : one === '\\t' ? '\t' : '\\';
    });
  } while (ahead.length > 0 && /%[sd]/.test(format) && text.length < 100_000);
  return text;
}

export function concatenate(args: string[], state: ShellState): Flow {
  const files = args.filter((word) => !word.startsWith('-') || word === '-');
  state.status = undefined;
  if (files.length === 0 || files.includes('-')) {
    writeOutput(state.input?.text ?? unknown, state);
    if (state.input !== undefined) state.input.text = '';
    state.status = 0;
    return next;
  }
  for (const file of files) {
    const path = absolute(file, state.cwd);
    const stat = statOf(path, state.world);
    const text =
      stat !== undefined && stat !== 'missing' && stat.kind === 'file' ? readScript(path, state.world) : undefined;
    writeOutput(stat === 'missing' ? '' : (text ?? unknown), state);
    state.status = stat === 'missing' ? 1 : text === undefined ? undefined : 0;
  }
  return next;
}

/** `… | grep -q TEXT` where standard input is known. */
export function grep(args: string[], state: ShellState): Flow {
  const words = args.filter((word) => !/^-[qsF]+$/.test(word) && word !== '--');
  const [pattern = ''] = words;
  const input = state.input?.text;
  const isPlain = words.length === 1 && /^[\w ./:=-]+$/.test(pattern) && !pattern.includes('.');
  const isKnownText = isPlain && input !== undefined && isKnown(input);
  if (!args.some((word) => /^-[sF]*q/.test(word))) writeOutput(unknown, state);
  state.status = isKnownText ? (input.includes(pattern) ? 0 : 1) : undefined;
  return next;
}

/** Programs by name, and what they print; undefined where that is unknown. */
const printers: Record<string, (args: string[], state: ShellState) => string | undefined> = {
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

/** Runs one of `printers`; false where the program is not one of them. */
export function printUtility(name: string, args: string[], state: ShellState): boolean {
  const printer = Object.hasOwn(printers, name) ? printers[name] : undefined;
  if (printer === undefined) return false;
  const text = args.every(isKnown) ? printer(args, state) : undefined;
  writeOutput(text === undefined ? unknown : `${text}\n`, state);
  state.status = text === undefined ? undefined : 0;
  return true;
}
