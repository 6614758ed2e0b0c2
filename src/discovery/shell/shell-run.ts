/**
 * A shell script followed without running it: what it starts, and how certain that is. Where only running it could tell
 * which way it goes, every way is followed and what it starts is uncertain.
 */
import {
  absolute,
  baseName,
  isKnown,
  type Launch,
  namesFilebeat,
  type Outcome,
  unknown,
  type World,
} from '../launch/launch-world.js';
import { bearings } from './shell-bearings.js';
import { builtins, lookUp, programNamed, say, setArguments, tell } from './shell-builtins.js';
import { arithmetic, expandText, expandWords, segmentsOf, unknownWords } from './shell-expand.js';
import { readScript, statOf } from './shell-files.js';
import { parseShell } from './shell-parser.js';
import { matches } from './shell-pattern.js';
import { copyState, exportedOf, type Flow, next, ShellEnds, type ShellState, setVariable } from './shell-state.js';
import { type Dialect, type Node, type Redirect, ShellTrouble } from './shell-syntax.js';
import { condition } from './shell-truth.js';

const mostRounds = 300;
const mostDepth = 40;

export interface ShellStart {
  dialect: Dialect;
  /** `$0` */
  name: string;
  /** `$1` and on. */
  args: string[];
  /** Letters of `set` that it is started with. */
  options?: string;
  /** It reads profiles first. */
  login?: boolean;
}

export function runShell(
  script: string,
  launch: Launch,
  world: World,
  { dialect, name, args, options = '', login = false }: ShellStart,
): Outcome {
  const state: ShellState = {
    dialect,
    variables: new Map(Object.entries(launch.env).map(([key, text]) => [key, { text, exported: true }])),
    open: launch.envOpen,
    name,
    args,
    argsUnknown: args.includes(unknownWords),
    cwd: launch.cwd,
    functions: new Map(),
    status: 0,
    uncertain: launch.uncertain,
    options: {
      errexit: options.includes('e'),
      allexport: options.includes('a'),
      nounset: options.includes('u'),
      noglob: options.includes('f'),
    },
    guarded: 0,
    input: launch.input === undefined ? undefined : { text: launch.input },
    output: { text: '' },
    jobs: false,
    locals: [],
    launch,
    world,
    run,
  };
  if (login) readProfiles(state);
  const flow = runText(script, state);
  const output = state.output!.text;
  return { ends: flow.kind !== 'gone', status: state.status, ...(isKnown(output) ? { output } : {}) };
}

/** /etc/profile and the user's own (bash(1) "INVOCATION"): what they set is known as far as they can be read. */
function readProfiles(state: ShellState): void {
  const home = state.launch.env['HOME'] ?? '';
  const names = state.dialect === 'bash' ? ['.bash_profile', '.bash_login', '.profile'] : ['.profile'];
  const own = names.map((name) => `${home}/${name}`).find((path) => state.world.files.stat(path).ok);
  if (!isKnown(home)) state.open = true;
  for (const path of ['/etc/profile', ...(own === undefined ? [] : [own])]) {
    const stat = state.world.files.stat(path);
    if (!stat.ok && stat.gap.reason === 'missing') continue;
    const { uncertain, world } = state;
    const quiet = { ...world, starts: [], unclear: [] };
    state.world = quiet;
    sourceCommand([path], state);
    state.world = world;
    if (state.uncertain.length > uncertain.length || quiet.unclear.length > 0) state.open = true;
    state.uncertain = uncertain;
  }
  state.cwd = state.launch.cwd;
}

function runText(script: string, state: ShellState): Flow {
  state.world.steps.left -= Math.ceil(script.length / 200);
  let node: Node;
  try {
    node = parseShell(script, state.dialect);
  } catch (error) {
    if (!(error instanceof ShellTrouble)) throw error;
    if (namesFilebeat(script, state.world)) {
      state.world.unclear.push({ subject: state.name, why: 'it cannot be read as a shell script' });
    }
    state.uncertain = [...state.uncertain, 'a script before it cannot be read'];
    state.status = undefined;
    return next;
  }
  return run(node, state);
}

let depth = 0;

export function run(node: Node, state: ShellState): Flow {
  state.world.steps.left -= 1;
  if (state.world.steps.left < 0 || depth > mostDepth * 4) {
    state.uncertain = ['it does more than is looked at'];
    return { kind: 'exit' };
  }
  depth += 1;
  try {
    return runNode(node, state);
  } catch (error) {
    if (!(error instanceof ShellEnds)) throw error;
    state.status = 2;
    return { kind: 'exit' };
  } finally {
    depth -= 1;
  }
}

function runNode(node: Node, state: ShellState): Flow {
  switch (node.kind) {
    case 'simple':
      return simple(node, state);
    case 'list':
      return list(node, state);
    case 'chain':
      return chain(node, state);
    case 'pipeline':
      return pipeline(node, state);
    case 'function':
      state.functions.set(node.name, node.body);
      state.status = 0;
      return next;
    default:
      return redirected(node.redirects, state, () => compound(node, state));
  }
}

function compound(
  node: Exclude<Node, { kind: 'simple' | 'list' | 'chain' | 'pipeline' | 'function' }>,
  state: ShellState,
): Flow {
  switch (node.kind) {
    case 'group':
      return node.subshell ? subshell(node.body, state) : run(node.body, state);
    case 'if':
      return conditional(node, 0, state);
    case 'loop':
      return loop(node, state);
    case 'for':
      return forLoop(node, state);
    case 'count':
      return countLoop(node, state);
    case 'case':
      return caseCommand(node, state);
    case 'condition': {
      const truth = condition(node.tokens, state);
      state.status = truth === undefined ? undefined : truth ? 0 : 1;
      return fallen(state);
    }
    case 'arithmetic': {
      const value = arithmetic(node.text, state);
      state.status = isKnown(value) ? (value === '0' ? 1 : 0) : undefined;
      return fallen(state);
    }
  }
}

function list({ items }: Extract<Node, { kind: 'list' }>, state: ShellState): Flow {
  for (const { node, background } of items) {
    if (background) {
      const job = copyState(state);
      const flow = run(node, job);
      if (flow.kind === 'gone') state.jobs = true;
      state.status = 0;
      continue;
    }
    const flow = run(node, state);
    if (flow.kind !== 'next') return flow;
  }
  return next;
}

/** `set -e`: a command that is known to fail ends the shell. */
function fallen(state: ShellState): Flow {
  const fails = state.status !== undefined && state.status !== 0;
  return fails && state.options.errexit && state.guarded === 0 ? { kind: 'exit' } : next;
}

function guarded(node: Node, state: ShellState): Flow {
  state.guarded += 1;
  const flow = run(node, state);
  state.guarded -= 1;
  return flow;
}

function chain({ first, rest }: Extract<Node, { kind: 'chain' }>, state: ShellState): Flow {
  let flow = guarded(first, state);
  for (const [at, { operator, node }] of rest.entries()) {
    if (flow.kind !== 'next') return flow;
    const go = at === rest.length - 1 ? run : guarded;
    if (state.status === undefined) {
      const before = copyState(state);
      const why = 'the outcome of a command decides';
      flow = branches(state, why, [
        (branch) => go(node, branch),
        (branch) => {
          branch.status = operator === '&&' ? 1 : 0;
          return next;
        },
      ]);
      if (flow.kind === 'next' && before.status === undefined) state.status = undefined;
    } else if ((state.status === 0) === (operator === '&&')) {
      flow = go(node, state);
    }
  }
  return flow;
}

function pipeline({ negated, nodes }: Extract<Node, { kind: 'pipeline' }>, state: ShellState): Flow {
  if (nodes.length === 1) {
    const flow = negated ? guarded(nodes[0]!, state) : run(nodes[0]!, state);
    if (negated && state.status !== undefined) state.status = state.status === 0 ? 1 : 0;
    return flow;
  }
  let input = state.input;
  let gone = false;
  let last: ShellState = state;
  for (const [at, node] of nodes.entries()) {
    last = copyState(state);
    last.input = input;
    if (at < nodes.length - 1) last.output = { text: '' };
    else last.output = state.output;
    const flow = run(node, last);
    if (flow.kind === 'gone') gone = true;
    input = at < nodes.length - 1 && isKnown(last.output!.text) ? { text: last.output!.text } : undefined;
  }
  state.status = last.status;
  if (negated && state.status !== undefined) state.status = state.status === 0 ? 1 : 0;
  return gone ? { kind: 'gone' } : negated ? next : fallen(state);
}

function subshell(body: Node, state: ShellState): Flow {
  const inner = copyState(state);
  inner.jobs = false;
  const flow = run(body, inner);
  state.status = inner.status;
  if (inner.jobs) state.jobs = true;
  // Whether the subshell came to its end does not bear on what follows, only on its status.
  if (flow.kind === 'gone') return flow;
  return fallen(state);
}

/** Several ways, of which one is taken, nobody can tell which. What they agree on is certain afterwards. */
function branches(state: ShellState, why: string, ways: ((branch: ShellState) => Flow)[]): Flow {
  const results = ways.map((way) => {
    const branch = copyState(state);
    branch.uncertain = [...state.uncertain, why];
    const begun = state.world.starts.length + state.world.unclear.length;
    const flow = way(branch);
    return { branch, flow, starts: state.world.starts.length + state.world.unclear.length > begun };
  });
  const staying = results.filter(({ flow }) => flow.kind === 'next');
  if (staying.length === 0) {
    const [first] = results;
    state.status = undefined;
    const isLoop = results.every(({ flow }) => flow.kind === first!.flow.kind);
    if (!isLoop) state.uncertain = [...state.uncertain, why];
    return isLoop ? first!.flow : { kind: 'exit' };
  }
  merge(
    state,
    staying.map(({ branch }) => branch),
  );
  // Somewhere on the other ways the shell has ended, or stays: that it goes on is not certain.
  if (staying.length < results.length) state.uncertain = [...state.uncertain, why];
  else if (staying.some(({ branch }) => branch.uncertain.length > state.uncertain.length + 1)) {
    state.uncertain = [...state.uncertain, why];
  }
  return next;
}

function merge(state: ShellState, branchStates: readonly ShellState[]): void {
  const [first, ...others] = branchStates as [ShellState, ...ShellState[]];
  const names = new Set(branchStates.flatMap((one) => [...one.variables.keys()]));
  for (const name of names) {
    const values = branchStates.map((one) => one.variables.get(name));
    const [value] = values;
    const agree = values.every(
      (one) =>
        one?.text === value?.text &&
        one?.list?.join(' ') === value?.list?.join(' ') &&
        one?.exported === value?.exported,
    );
    if (!agree) state.variables.set(name, { text: unknown, exported: values.some((one) => one?.exported) });
    else if (value === undefined) state.variables.delete(name);
    else state.variables.set(name, value);
  }
  const same = (pick: (one: ShellState) => unknown) =>
    others.every((one) => JSON.stringify(pick(one)) === JSON.stringify(pick(first)));
  state.cwd = same((one) => one.cwd) ? first.cwd : unknown;
  state.status = same((one) => one.status ?? -1) ? first.status : undefined;
  state.args = first.args;
  state.argsUnknown = first.argsUnknown || !same((one) => one.args);
  state.options = { ...first.options };
  state.functions = new Map(branchStates.flatMap((one) => [...one.functions]));
  state.jobs = branchStates.some((one) => one.jobs);
  state.open = branchStates.some((one) => one.open);
  if (state.input !== undefined && !same((one) => one.input?.text)) state.input = undefined;
  else if (first.input !== undefined && state.input !== undefined) state.input.text = first.input.text;
}

function conditional(node: Extract<Node, { kind: 'if' }>, at: number, state: ShellState): Flow {
  const branch = node.branches[at];
  if (branch === undefined) {
    if (node.otherwise !== undefined) return run(node.otherwise, state);
    state.status = 0;
    return next;
  }
  const flow = guarded(branch.condition, state);
  if (flow.kind !== 'next') return flow;
  if (state.status === undefined) {
    return branches(state, 'the outcome of a command decides', [
      (one) => run(branch.body, one),
      (one) => conditional(node, at + 1, one),
    ]);
  }
  return state.status === 0 ? run(branch.body, state) : conditional(node, at + 1, state);
}

/** What a loop makes of a flow of its body: `undefined` means another round. */
function round(flow: Flow): Flow | undefined {
  if (flow.kind === 'break') return flow.levels > 1 ? { ...flow, levels: flow.levels - 1 } : next;
  if (flow.kind === 'continue' && flow.levels > 1) return { ...flow, levels: flow.levels - 1 };
  return flow.kind === 'next' || flow.kind === 'continue' ? undefined : flow;
}

/** The body may run any number of times, nobody can tell how often. */
function perhaps(body: Node, state: ShellState, why: string): Flow {
  const flow = branches(state, why, [
    (branch) => {
      const flow = run(body, branch);
      return flow.kind === 'break' || flow.kind === 'continue' ? next : flow;
    },
    () => next,
  ]);
  state.status = undefined;
  return flow;
}

function loop(node: Extract<Node, { kind: 'loop' }>, state: ShellState): Flow {
  for (let rounds = 0; rounds < mostRounds; rounds += 1) {
    const flow = guarded(node.condition, state);
    if (flow.kind !== 'next') return flow;
    if (state.status === undefined) return perhaps(node.body, state, 'how often a loop runs is decided as it runs');
    if ((state.status === 0) === node.until) {
      state.status = 0;
      return next;
    }
    const after = round(run(node.body, state));
    if (after !== undefined) return after;
  }
  // It goes on and on: what follows is not reached as far as anybody can tell.
  return { kind: 'gone' };
}

function forLoop(node: Extract<Node, { kind: 'for' }>, state: ShellState): Flow {
  const words = node.words === undefined ? [...state.args] : expandWords(node.words, state);
  const isUnknown = words.includes(unknownWords) || (node.words === undefined && state.argsUnknown);
  if (isUnknown) {
    setVariable(state, node.name, unknown);
    return perhaps(node.body, state, 'what a loop runs over is decided as it runs');
  }
  if (words.length === 0) state.status = 0;
  for (const word of words) {
    setVariable(state, node.name, word);
    const after = round(run(node.body, state));
    if (after !== undefined) return after;
  }
  return next;
}

function countLoop({ text, body }: Extract<Node, { kind: 'count' }>, state: ShellState): Flow {
  const [start, end, step] = text;
  if (start.trim() !== '') arithmetic(start, state);
  for (let rounds = 0; rounds < mostRounds; rounds += 1) {
    const value =
      end.trim() === '' ? '1' : arithmetic(expandText([{ kind: 'text', text: end, quoted: true }], state), state);
    if (!isKnown(value)) return perhaps(body, state, 'how often a loop runs is decided as it runs');
    if (value === '0') {
      state.status = 0;
      return next;
    }
    const after = round(run(body, state));
    if (after !== undefined) return after;
    if (step.trim() !== '') arithmetic(step, state);
  }
  return { kind: 'gone' };
}

function caseCommand(node: Extract<Node, { kind: 'case' }>, state: ShellState): Flow {
  const subject = expandText(node.subject, state);
  const runFrom = (at: number, one: ShellState): Flow => {
    const clause = node.clauses[at]!;
    if (clause.body.kind === 'list' && clause.body.items.length === 0) one.status = 0;
    const flow = run(clause.body, one);
    return flow.kind === 'next' && clause.end === ';&' && at + 1 < node.clauses.length ? runFrom(at + 1, one) : flow;
  };
  for (const [at, { patterns, end }] of node.clauses.entries()) {
    const all = patterns.map((pattern) => segmentsOf(pattern, state));
    const takesAll = all.some((pattern) => pattern.map((one) => one.text).join('') === '*' && !pattern[0]!.quoted);
    if (takesAll && end !== ';;&') return runFrom(at, state);
    if (!isKnown(subject) || all.some((pattern) => pattern.some(({ text }) => !isKnown(text)))) {
      const rest = node.clauses.slice(at).map((_, step) => (one: ShellState) => runFrom(at + step, one));
      return branches(state, 'a value that is not known decides', [
        ...rest,
        (one) => {
          one.status = 0;
          return next;
        },
      ]);
    }
    if (all.some((pattern) => matches(pattern, subject))) return runFrom(at, state);
  }
  state.status = 0;
  return next;
}

/** Here-documents and files on standard input; files that are written. */
function redirected(redirects: readonly Redirect[], state: ShellState, body: () => Flow): Flow {
  if (redirects.length === 0) return body();
  const { input, output } = state;
  if (!applyRedirects(redirects, state)) {
    state.status = 1;
    return fallen(state);
  }
  const flow = body();
  state.input = input;
  state.output = output;
  return flow;
}

/** False where one of them is known to fail. */
function applyRedirects(redirects: readonly Redirect[], state: ShellState): boolean {
  for (const { operator, descriptor, target, here } of redirects) {
    if (here !== undefined || operator === '<<<') {
      if ((descriptor ?? 0) !== 0) continue;
      const text = here === undefined ? `${expandText(target, state)}\n` : expandText(here, state);
      state.input = { text };
      continue;
    }
    const word = expandText(target, state);
    const path = absolute(word, state.cwd);
    if (operator === '<') {
      if ((descriptor ?? 0) !== 0) continue;
      const stat = statOf(path, state.world);
      if (stat === 'missing' && path !== '/dev/null') return false;
      // What a file holds by then is not known: it is read as the script runs, and may be written meanwhile.
      state.input = path === '/dev/null' ? { text: '' } : undefined;
    } else if (operator.includes('&') && operator !== '&>' && operator !== '&>>' && /^(?:\d+|-)$/.test(word)) {
      if ((descriptor ?? 1) === 1) state.output = undefined;
    } else if (operator.includes('>')) {
      if ((descriptor ?? 1) === 1 || operator.startsWith('&')) state.output = undefined;
      if (isKnown(path) && !path.startsWith('/dev/')) state.world.written.add(path);
    }
  }
  return true;
}

function simple(node: Extract<Node, { kind: 'simple' }>, state: ShellState): Flow {
  delete state.substituted;
  const words = expandWords(node.words, state);
  if (words.length === 0) {
    // The status is that of the last substitution, else 0; until then `$?` is what it was.
    for (const one of node.assignments) assign(one, state);
    state.status = statusOfSubstitution(state);
    return redirected(node.redirects, state, () => fallen(state));
  }
  if (words[0] === unknownWords) return unknownCommand(words, state);
  const [name] = words as [string, ...string[]];
  return redirected(node.redirects, state, () => {
    if (node.assignments.some(({ list }) => list !== undefined)) {
      for (const one of node.assignments) assign(one, state, name);
      state.status = 0;
      return next;
    }
    const own = node.assignments.map((one) => ({ name: one.name, text: expandText(one.value, state) }));
    // Before `:`, `export` and the like an assignment stays; before other commands it is theirs alone.
    const saved = own.map((one) => [one.name, state.variables.get(one.name)] as const);
    for (const one of own) setVariable(state, one.name, one.text, true);
    const flow = command(words, state);
    const stays = state.dialect === 'posix' && specials.has(name) && !state.functions.has(name);
    for (const [key, value] of stays ? [] : saved) {
      if (value === undefined) state.variables.delete(key);
      else state.variables.set(key, value);
    }
    return flow;
  });
}

function statusOfSubstitution({ substituted }: ShellState): number | undefined {
  return substituted === undefined ? 0 : substituted.status;
}

/** Special built-in utilities (POSIX 2.14). */
const specials = new Set([':', '.', 'eval', 'exec', 'exit', 'export', 'readonly', 'return', 'set', 'shift', 'unset']);

function assign(
  { name, append, value, list: items, index }: Extract<Node, { kind: 'simple' }>['assignments'][number],
  state: ShellState,
  by?: string,
): void {
  const known = state.variables.get(name);
  if (by === 'local' && !state.locals.at(-1)?.has(name)) state.locals.at(-1)?.set(name, known && { ...known });
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

function unknownCommand(words: readonly string[], state: ShellState): Flow {
  if (words.some((word) => namesFilebeat(word, state.world) || /\.ya?ml$/.test(word))) {
    const why = 'which program a script starts is decided as it runs';
    state.world.unclear.push({ subject: state.name, why });
  }
  state.status = undefined;
  return next;
}

function command(words: string[], state: ShellState): Flow {
  const [name, ...args] = words as [string, ...string[]];
  if (!isKnown(name)) return unknownCommand(words, state);
  const body = state.functions.get(name);
  if (body !== undefined && !(state.dialect === 'posix' && specials.has(name))) return callFunction(body, args, state);
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
      return fallenAfter(lookUp(args.slice(-1), { ...state, output: undefined }, true), state);
    case 'let':
      for (const text of args) state.status = arithmetic(text, state) === '0' ? 1 : 0;
      return next;
  }
  const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
  if (builtin !== undefined) return fallenAfter(builtin(args, state), state);
  return external(words, state);
}

function fallenAfter(flow: Flow, state: ShellState): Flow {
  return flow.kind === 'next' ? fallen(state) : flow;
}

function callFunction(body: Node, args: string[], state: ShellState): Flow {
  if (state.locals.length > mostDepth) return { kind: 'exit' };
  const { args: before, argsUnknown } = state;
  setArguments(args, state);
  state.locals.push(new Map());
  const flow = run(body, state);
  for (const [name, value] of state.locals.pop()!) {
    if (value === undefined) state.variables.delete(name);
    else state.variables.set(name, value);
  }
  state.args = before;
  state.argsUnknown = argsUnknown;
  return flow.kind === 'return' ? next : fallenAfter(flow, state);
}

function execCommand(args: string[], state: ShellState): Flow {
  const rest = [...args];
  let argv0: string | undefined;
  while (rest[0]?.startsWith('-')) {
    const flag = rest.shift()!;
    if (flag === '--') break;
    if (flag.endsWith('a')) argv0 = rest.shift();
  }
  if (rest.length === 0) {
    state.status = 0;
    return next;
  }
  if (!isKnown(rest[0]!)) {
    unknownCommand(rest, state);
    return { kind: 'exit' };
  }
  const flow = external(rest, state, argv0);
  return flow.kind === 'gone' ? flow : { kind: 'exit' };
}

function evalCommand(args: string[], state: ShellState): Flow {
  const text = args.join(' ');
  if (isKnown(text)) return runText(text, state);
  if (namesFilebeat(text, state.world)) unknownCommand([text], state);
  state.uncertain = [...state.uncertain, 'what `eval` runs is decided as it runs'];
  state.status = undefined;
  return next;
}

/** Libraries of init scripts: what they define is known here, and is not read. */
const libraries = /^(?:\/usr)?\/lib\/lsb\/init-functions$|^\/etc\/(?:rc\.d\/)?init\.d\/functions$|^\/lib\/init\//;

function sourceCommand(args: string[], state: ShellState): Flow {
  const [file, ...rest] = args[0] === '--' ? args.slice(1) : args;
  if (file === undefined || !isKnown(file)) {
    state.uncertain = [...state.uncertain, 'which file a script reads is decided as it runs'];
    state.status = undefined;
    return next;
  }
  const path = absolute(file, state.cwd);
  if (libraries.test(path)) {
    state.status = 0;
    return next;
  }
  const stat = statOf(path, state.world);
  const text = stat === undefined || stat === 'missing' ? undefined : readScript(path, state.world);
  if (text === undefined) {
    state.status = stat === 'missing' ? 1 : undefined;
    // dash ends where the file is missing.
    if (stat === 'missing') return state.dialect === 'posix' ? { kind: 'exit' } : next;
    state.open = true;
    state.uncertain = [...state.uncertain, `${path} cannot be read`];
    return next;
  }
  const { args: before } = state;
  if (rest.length > 0 && state.dialect === 'bash') state.args = rest;
  state.status = 0;
  const flow = runText(text, state);
  state.args = rest.length > 0 && state.dialect === 'bash' ? before : state.args;
  return flow.kind === 'return' ? next : flow;
}

function commandCommand(args: string[], state: ShellState): Flow {
  const [flag, ...rest] = args;
  if (flag === '-v' || flag === '-V') return fallenAfter(lookUp(rest, state, true), state);
  if (flag === '-p' || flag === '--') return command(rest, state);
  if (flag === undefined) return next;
  const hidden = state.functions;
  state.functions = new Map();
  const flow = command(args, state);
  state.functions = hidden;
  return flow;
}

/** A program of the host. */
function external(words: string[], state: ShellState, argv0?: string): Flow {
  const [name, ...args] = words as [string, ...string[]];
  const { world, launch } = state;
  const own = programNamed(name);
  if (own !== undefined) return fallenAfter(own(args, state), state);
  if (tell(baseName(name), args, state)) return fallenAfter(next, state);
  const outcome =
    bearings(words, state) ??
    world.follow(
      {
        ...launch,
        argv: argv0 === undefined ? words : [argv0, ...args],
        program: name,
        cwd: state.cwd,
        env: exportedOf(state),
        envOpen: state.open,
        ...(state.input === undefined || !isKnown(state.input.text) ? {} : { input: state.input.text }),
        uncertain: state.uncertain,
        depth: launch.depth + 1,
        byShell: true,
      },
      world,
    );
  state.status = outcome.status;
  say(outcome.output ?? unknown, state);
  return outcome.ends ? fallenAfter(next, state) : { kind: 'gone' };
}
