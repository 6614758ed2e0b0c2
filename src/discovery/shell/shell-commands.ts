/** Runs simple commands: assignments, functions, builtins and programs (POSIX shell "2.9.1 Simple Commands"). */
import { baseName, isKnown, unknown } from '../launch/launch-context.js';
import { builtinNamed, lookUp, programNamed } from './builtins/shell-builtins.js';
import { printUtility } from './builtins/shell-output.js';
import { commonUtility } from './builtins/shell-utilities.js';
import { expandText } from './expand/shell-expand.js';
import { expandWords } from './expand/shell-fields.js';
import { arithmetic } from './expand/shell-parameters.js';
import type { Assignment, Node } from './parser/shell-tree.js';
import { redirected } from './shell-redirects.js';
import { evalCommand, sourceCommand, unknownCommand } from './shell-scripts.js';
import {
  afterCommand,
  checkErrexit,
  exportedOf,
  type Flow,
  next,
  type ShellState,
  setArguments,
  setVariable,
  unknownWords,
  writeOutput,
} from './shell-state.js';

const maxFunctionDepth = 40;

/** Special built-in utilities (POSIX 2.14). */
const specialBuiltins = new Set([
  ':',
  '.',
  'eval',
  'exec',
  'exit',
  'export',
  'readonly',
  'return',
  'set',
  'shift',
  'unset',
]);

export function simple(node: Extract<Node, { kind: 'simple' }>, state: ShellState): Flow {
  delete state.substitution;
  const words = expandWords(node.words, state);
  if (words.length === 0) {
    // The status is that of the last command substitution, else 0.
    for (const one of node.assignments) assign(one, state);
    state.status = statusOfSubstitution(state);
    return redirected(node.redirects, state, () => checkErrexit(state));
  }
  if (words[0] === unknownWords) return unknownCommand(words, state);
  const [name] = words as [string, ...string[]];
  return redirected(node.redirects, state, () => {
    if (node.assignments.some(({ list }) => list !== undefined)) {
      for (const one of node.assignments) assign(one, state, name);
      state.status = 0;
      return next;
    }
    const assigned = node.assignments.map((one) => ({ name: one.name, text: expandText(one.value, state) }));
    // Assignments before a special builtin such as `export` persist; before other commands they hold for that command.
    const saved = assigned.map((one) => [one.name, state.variables.get(one.name)] as const);
    for (const one of assigned) setVariable(state, one.name, one.text, true);
    const flow = command(words, state);
    const persist = state.dialect === 'posix' && specialBuiltins.has(name) && !state.functions.has(name);
    for (const [key, value] of persist ? [] : saved) {
      if (value === undefined) state.variables.delete(key);
      else state.variables.set(key, value);
    }
    return flow;
  });
}

function statusOfSubstitution({ substitution }: ShellState): number | undefined {
  return substitution === undefined ? 0 : substitution.status;
}

function assign({ name, append, value, list: items, index }: Assignment, state: ShellState, command?: string): void {
  const known = state.variables.get(name);
  if (command === 'local' && !state.locals.at(-1)?.has(name)) state.locals.at(-1)?.set(name, known && { ...known });
  if (items !== undefined) {
    const added = expandWords(items, state);
    const all = append ? [...(known?.list ?? (known === undefined ? [] : [known.text])), ...added] : added;
    state.variables.set(name, { text: all[0] ?? '', list: all, exported: known?.exported ?? false });
    return;
  }
  const text = expandText(value, state);
  if (index !== undefined) {
    const at = Number(arithmetic(expandText(index, state), state));
    const all = [...(known?.list ?? (known === undefined ? [] : [known.text]))];
    if (Number.isInteger(at) && at >= 0 && at <= all.length) all[at] = append ? (all[at] ?? '') + text : text;
    else all.splice(0, all.length, unknown);
    state.variables.set(name, { text: all[0] ?? '', list: all, exported: known?.exported ?? false });
    return;
  }
  setVariable(state, name, append ? (known?.text ?? '') + text : text);
}

function command(words: string[], state: ShellState): Flow {
  const [name, ...args] = words as [string, ...string[]];
  if (!isKnown(name)) return unknownCommand(words, state);
  const body = state.functions.get(name);
  if (body !== undefined && !(state.dialect === 'posix' && specialBuiltins.has(name)))
    return callFunction(body, args, state);
  switch (name) {
    case 'exec':
      return execCommand(args, state);
    case 'eval':
      return evalCommand(args, state);
    case '.':
      return sourceCommand(args, state);
    case 'source':
      if (state.dialect === 'bash') return sourceCommand(args, state);
      break;
    case 'command':
    case 'builtin':
      return commandCommand(args, state);
    case 'type':
      return afterCommand(lookUp(args.slice(-1), { ...state, output: undefined }, true), state);
    case 'let':
      for (const text of args) state.status = arithmetic(text, state) === '0' ? 1 : 0;
      return next;
  }
  const builtin = builtinNamed(name);
  if (builtin !== undefined) return afterCommand(builtin(args, state), state);
  return external(words, state);
}

function callFunction(body: Node, args: string[], state: ShellState): Flow {
  if (state.locals.length > maxFunctionDepth) return { kind: 'exit' };
  const { args: before, argsUnknown } = state;
  setArguments(args, state);
  state.locals.push(new Map());
  const flow = state.run(body, state);
  for (const [name, value] of state.locals.pop()!) {
    if (value === undefined) state.variables.delete(name);
    else state.variables.set(name, value);
  }
  state.args = before;
  state.argsUnknown = argsUnknown;
  return flow.kind === 'return' ? next : afterCommand(flow, state);
}

function execCommand(args: string[], state: ShellState): Flow {
  const words = [...args];
  let argv0: string | undefined;
  while (words[0]?.startsWith('-')) {
    const flag = words.shift()!;
    if (flag === '--') break;
    if (flag.endsWith('a')) argv0 = words.shift();
  }
  if (words.length === 0) {
    state.status = 0;
    return next;
  }
  if (!isKnown(words[0]!)) {
    unknownCommand(words, state);
    return { kind: 'exit' };
  }
  const flow = external(words, state, argv0);
  return flow.kind === 'never-returns' ? flow : { kind: 'exit' };
}

function commandCommand(args: string[], state: ShellState): Flow {
  const [flag, ...rest] = args;
  if (flag === '-v' || flag === '-V') return afterCommand(lookUp(rest, state, true), state);
  if (flag === '-p' || flag === '--') return command(rest, state);
  if (flag === undefined) return next;
  const hidden = state.functions;
  state.functions = new Map();
  const flow = command(args, state);
  state.functions = hidden;
  return flow;
}

/** Runs a program: one whose effect is known here, or one that `world.follow` looks into. */
function external(words: string[], state: ShellState, argv0?: string): Flow {
  const [name, ...args] = words as [string, ...string[]];
  const { world, launch } = state;
  const program = programNamed(name);
  if (program !== undefined) return afterCommand(program(args, state), state);
  if (printUtility(baseName(name), args, state)) return afterCommand(next, state);
  const outcome =
    commonUtility(words, state) ??
    world.follow(
      {
        ...launch,
        argv: argv0 === undefined ? words : [argv0, ...args],
        program: name,
        cwd: state.cwd,
        env: exportedOf(state),
        envIncomplete: state.variablesIncomplete,
        ...(state.input === undefined || !isKnown(state.input.text) ? {} : { input: state.input.text }),
        uncertain: state.uncertain,
        depth: launch.depth + 1,
        byShell: true,
      },
      world,
    );
  state.status = outcome.status;
  writeOutput(outcome.output ?? unknown, state);
  return outcome.ends ? afterCommand(next, state) : { kind: 'never-returns' };
}
