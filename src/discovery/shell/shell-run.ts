/**
 * Follows a shell script without running it: which programs it starts, and how certain that is. Where only running it would
 * tell which branch is taken, all branches are followed, and what they start is uncertain.
 */
import { isKnown, type Launch, type LaunchContext, type Outcome } from '../launch/launch-context.js';
import { condition } from './builtins/shell-test.js';
import { arithmetic } from './expand/shell-parameters.js';
import type { Dialect, Node } from './parser/shell-tree.js';
import { runBranches } from './shell-branches.js';
import { simple } from './shell-commands.js';
import { caseCommand, conditional, countLoop, forLoop, loop, runCondition } from './shell-compound.js';
import { redirected } from './shell-redirects.js';
import { readProfiles, runText } from './shell-scripts.js';
import { checkErrexit, copyState, type Flow, next, ShellEnds, type ShellState, unknownWords } from './shell-state.js';

const maxFunctionDepth = 160;

export interface ShellStart {
  dialect: Dialect;
  /** `$0` */
  name: string;
  /** `$1`, `$2` … */
  args: string[];
  /** Option letters on its command line, as for `set`. */
  options?: string;
  /** A login shell, which reads profiles first. */
  login?: boolean;
}

/** Follows a script that is started as `launch` says; what it starts is added to `world`. */
export function runShell(
  script: string,
  launch: Launch,
  world: LaunchContext,
  { dialect, name, args, options = '', login = false }: ShellStart,
): Outcome {
  const state: ShellState = {
    dialect,
    variables: new Map(Object.entries(launch.env).map(([key, text]) => [key, { text, exported: true }])),
    variablesIncomplete: launch.envIncomplete,
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
    errexitSuspended: 0,
    input: launch.input === undefined ? undefined : { text: launch.input },
    output: { text: '' },
    hasJobs: false,
    locals: [],
    launch,
    world,
    run,
  };
  if (login) readProfiles(state);
  const flow = runText(script, state);
  const output = state.output!.text;
  return { ends: flow.kind !== 'never-returns', status: state.status, ...(isKnown(output) ? { output } : {}) };
}

let depth = 0;

function run(node: Node, state: ShellState): Flow {
  state.world.steps.left -= 1;
  if (state.world.steps.left < 0 || depth > maxFunctionDepth) {
    state.uncertain = ['it does more than is followed'];
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
    case 'and-or':
      return andOrList(node, state);
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
  node: Exclude<Node, { kind: 'simple' | 'list' | 'and-or' | 'pipeline' | 'function' }>,
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
      return checkErrexit(state);
    }
    case 'arithmetic': {
      const value = arithmetic(node.text, state);
      state.status = isKnown(value) ? (value === '0' ? 1 : 0) : undefined;
      return checkErrexit(state);
    }
  }
}

function list({ items }: Extract<Node, { kind: 'list' }>, state: ShellState): Flow {
  for (const { node, background } of items) {
    if (background) {
      const job = copyState(state);
      const flow = run(node, job);
      if (flow.kind === 'never-returns') state.hasJobs = true;
      state.status = 0;
      continue;
    }
    const flow = run(node, state);
    if (flow.kind !== 'next') return flow;
  }
  return next;
}

function andOrList({ first, others }: Extract<Node, { kind: 'and-or' }>, state: ShellState): Flow {
  let flow = runCondition(first, state);
  for (const [at, { operator, node }] of others.entries()) {
    if (flow.kind !== 'next') return flow;
    const runSide = at === others.length - 1 ? run : runCondition;
    if (state.status === undefined) {
      const before = copyState(state);
      const why = 'the outcome of a command decides';
      flow = runBranches(state, why, [
        (branch) => runSide(node, branch),
        (branch) => {
          branch.status = operator === '&&' ? 1 : 0;
          return next;
        },
      ]);
      if (flow.kind === 'next' && before.status === undefined) state.status = undefined;
    } else if ((state.status === 0) === (operator === '&&')) {
      flow = runSide(node, state);
    }
  }
  return flow;
}

function pipeline({ negated, nodes }: Extract<Node, { kind: 'pipeline' }>, state: ShellState): Flow {
  if (nodes.length === 1) {
    const flow = negated ? runCondition(nodes[0]!, state) : run(nodes[0]!, state);
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
    if (flow.kind === 'never-returns') gone = true;
    input = at < nodes.length - 1 && isKnown(last.output!.text) ? { text: last.output!.text } : undefined;
  }
  state.status = last.status;
  if (negated && state.status !== undefined) state.status = state.status === 0 ? 1 : 0;
  return gone ? { kind: 'never-returns' } : negated ? next : checkErrexit(state);
}

function subshell(body: Node, state: ShellState): Flow {
  const inner = copyState(state);
  inner.hasJobs = false;
  const flow = run(body, inner);
  state.status = inner.status;
  if (inner.hasJobs) state.hasJobs = true;
  // An `exit` ends only the subshell.
  if (flow.kind === 'never-returns') return flow;
  return checkErrexit(state);
}
