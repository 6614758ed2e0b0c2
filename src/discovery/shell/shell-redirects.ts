/** Applies redirections: here-documents and files as standard input, and files that are written. */
import { absolute, isKnown } from '../launch/launch-context.js';
import { expandText } from './expand/shell-expand.js';
import { statOf } from './expand/shell-files.js';
import type { Redirect } from './parser/shell-tree.js';
import { checkErrexit, type Flow, type ShellState } from './shell-state.js';

/** Runs `body` with redirections, which hold for it alone. */
export function redirected(redirects: readonly Redirect[], state: ShellState, body: () => Flow): Flow {
  if (redirects.length === 0) return body();
  const { input, output } = state;
  if (!applyRedirects(redirects, state)) {
    state.status = 1;
    return checkErrexit(state);
  }
  const flow = body();
  state.input = input;
  state.output = output;
  return flow;
}

/** Returns false where one of them is known to fail. */
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
      // The file may be written before the script reads it.
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
