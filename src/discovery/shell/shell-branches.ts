/** Branches, where it is unknown which one is taken: each is run on a copy of the state, and the results are merged. */
import { unknown } from '../launch/launch-context.js';
import type { Node } from './parser/shell-tree.js';
import { copyState, type Flow, next, type ShellState } from './shell-state.js';

/** Runs every branch. Afterwards `state` holds what the branches that go on agree on; the rest is unknown. */
export function runBranches(state: ShellState, why: string, alternatives: ((branch: ShellState) => Flow)[]): Flow {
  const results = alternatives.map((alternative) => {
    const branch = copyState(state);
    branch.uncertain = [...state.uncertain, why];
    const before = state.world.starts.length + state.world.unclear.length;
    const flow = alternative(branch);
    return { branch, flow, starts: state.world.starts.length + state.world.unclear.length > before };
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
  // On the other branches the shell ends or waits for ever, so it may not get further.
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
  state.hasJobs = branchStates.some((one) => one.hasJobs);
  state.variablesIncomplete = branchStates.some((one) => one.variablesIncomplete);
  if (state.input !== undefined && !same((one) => one.input?.text)) state.input = undefined;
  else if (first.input !== undefined && state.input !== undefined) state.input.text = first.input.text;
}

/** Runs the body of a loop that may run any number of times. */
export function runUnknownTimes(body: Node, state: ShellState, why: string): Flow {
  const flow = runBranches(state, why, [
    (branch) => {
      const flow = branch.run(body, branch);
      return flow.kind === 'break' || flow.kind === 'continue' ? next : flow;
    },
    () => next,
  ]);
  state.status = undefined;
  return flow;
}
