/** Runs `if`, loops and `case`. */
import { isKnown, unknown } from '../launch/launch-context.js';
import { expandText, segmentsOf } from './expand/shell-expand.js';
import { expandWords } from './expand/shell-fields.js';
import { arithmetic } from './expand/shell-parameters.js';
import { matches } from './expand/shell-pattern.js';
import type { Node } from './parser/shell-tree.js';
import { runBranches, runUnknownTimes } from './shell-branches.js';
import { type Flow, next, type ShellState, setVariable, unknownWords } from './shell-state.js';

const maxRounds = 300;

/** Runs a condition, in which `set -e` does not end the shell. */
export function runCondition(node: Node, state: ShellState): Flow {
  state.errexitSuspended += 1;
  const flow = state.run(node, state);
  state.errexitSuspended -= 1;
  return flow;
}

export function conditional(node: Extract<Node, { kind: 'if' }>, at: number, state: ShellState): Flow {
  const branch = node.branches[at];
  if (branch === undefined) {
    if (node.otherwise !== undefined) return state.run(node.otherwise, state);
    state.status = 0;
    return next;
  }
  const flow = runCondition(branch.condition, state);
  if (flow.kind !== 'next') return flow;
  if (state.status === undefined) {
    return runBranches(state, 'the outcome of a command decides', [
      (one) => one.run(branch.body, one),
      (one) => conditional(node, at + 1, one),
    ]);
  }
  return state.status === 0 ? state.run(branch.body, state) : conditional(node, at + 1, state);
}

/** How a loop goes on after its body; undefined: with the next round. */
function loopFlow(flow: Flow): Flow | undefined {
  if (flow.kind === 'break') return flow.levels > 1 ? { ...flow, levels: flow.levels - 1 } : next;
  if (flow.kind === 'continue' && flow.levels > 1) return { ...flow, levels: flow.levels - 1 };
  return flow.kind === 'next' || flow.kind === 'continue' ? undefined : flow;
}

export function loop(node: Extract<Node, { kind: 'loop' }>, state: ShellState): Flow {
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    const flow = runCondition(node.condition, state);
    if (flow.kind !== 'next') return flow;
    if (state.status === undefined)
      return runUnknownTimes(node.body, state, 'how often a loop runs is known only at run time');
    if ((state.status === 0) === node.until) {
      state.status = 0;
      return next;
    }
    const after = loopFlow(state.run(node.body, state));
    if (after !== undefined) return after;
  }
  // An endless loop, as far as this can tell.
  return { kind: 'never-returns' };
}

export function forLoop(node: Extract<Node, { kind: 'for' }>, state: ShellState): Flow {
  const words = node.words === undefined ? [...state.args] : expandWords(node.words, state);
  const isUnknown = words.includes(unknownWords) || (node.words === undefined && state.argsUnknown);
  if (isUnknown) {
    setVariable(state, node.name, unknown);
    return runUnknownTimes(node.body, state, 'what a loop runs over is known only at run time');
  }
  if (words.length === 0) state.status = 0;
  for (const word of words) {
    setVariable(state, node.name, word);
    const after = loopFlow(state.run(node.body, state));
    if (after !== undefined) return after;
  }
  return next;
}

export function countLoop({ text, body }: Extract<Node, { kind: 'count' }>, state: ShellState): Flow {
  const [start, end, step] = text;
  if (start.trim() !== '') arithmetic(start, state);
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    const value =
      end.trim() === '' ? '1' : arithmetic(expandText([{ kind: 'text', text: end, quoted: true }], state), state);
    if (!isKnown(value)) return runUnknownTimes(body, state, 'how often a loop runs is known only at run time');
    if (value === '0') {
      state.status = 0;
      return next;
    }
    const after = loopFlow(state.run(body, state));
    if (after !== undefined) return after;
    if (step.trim() !== '') arithmetic(step, state);
  }
  return { kind: 'never-returns' };
}

export function caseCommand(node: Extract<Node, { kind: 'case' }>, state: ShellState): Flow {
  const subject = expandText(node.subject, state);
  const runFrom = (at: number, one: ShellState): Flow => {
    const clause = node.clauses[at]!;
    if (clause.body.kind === 'list' && clause.body.items.length === 0) one.status = 0;
    const flow = one.run(clause.body, one);
    return flow.kind === 'next' && clause.end === ';&' && at + 1 < node.clauses.length ? runFrom(at + 1, one) : flow;
  };
  for (const [at, { patterns, end }] of node.clauses.entries()) {
    const all = patterns.map((pattern) => segmentsOf(pattern, state));
    const takesAll = all.some((pattern) => pattern.map((one) => one.text).join('') === '*' && !pattern[0]!.quoted);
    if (takesAll && end !== ';;&') return runFrom(at, state);
    if (!isKnown(subject) || all.some((pattern) => pattern.some(({ text }) => !isKnown(text)))) {
      const others = node.clauses.slice(at).map((_, step) => (one: ShellState) => runFrom(at + step, one));
      return runBranches(state, 'a value that is not known decides', [
        ...others,
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
