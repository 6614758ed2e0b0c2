/** Scripts that a shell reads: its own text, `.`, `eval` and profiles. */
import { absolute, isKnown, namesFilebeat } from '../launch/launch-context.js';
import { readScript, statOf } from './expand/shell-files.js';
import { parseShell } from './parser/shell-parser.js';
import { type Node, ShellSyntaxError } from './parser/shell-tree.js';
import { type Flow, next, type ShellState } from './shell-state.js';

export function runText(script: string, state: ShellState): Flow {
  state.world.steps.left -= Math.ceil(script.length / 200);
  let node: Node;
  try {
    node = parsedOnce(script, state);
  } catch (error) {
    if (!(error instanceof ShellSyntaxError)) throw error;
    if (namesFilebeat(script, state.world)) {
      state.world.unclear.push({ subject: state.name, why: 'it cannot be read as a shell script' });
    }
    state.uncertain = [...state.uncertain, 'a script before it cannot be read'];
    state.status = undefined;
    return next;
  }
  return state.run(node, state);
}

function parsedOnce(script: string, { dialect, world }: ShellState): Node {
  const key = `${dialect} ${script}`;
  const known = world.parsed.get(key);
  if (known !== undefined) return known;
  const node = parseShell(script, dialect);
  world.parsed.set(key, node);
  return node;
}

/** Runs /etc/profile and the user's profile as a login shell does (bash(1) "INVOCATION"). */
export function readProfiles(state: ShellState): void {
  const home = state.launch.env['HOME'] ?? '';
  const names = state.dialect === 'bash' ? ['.bash_profile', '.bash_login', '.profile'] : ['.profile'];
  const personal = names.map((name) => `${home}/${name}`).find((path) => state.world.files.stat(path).ok);
  if (!isKnown(home)) state.variablesIncomplete = true;
  for (const path of ['/etc/profile', ...(personal === undefined ? [] : [personal])]) {
    const stat = state.world.files.stat(path);
    if (!stat.ok && stat.gap.reason === 'missing') continue;
    const { uncertain, world } = state;
    const quiet = { ...world, starts: [], unclear: [] };
    state.world = quiet;
    sourceCommand([path], state);
    state.world = world;
    if (state.uncertain.length > uncertain.length || quiet.unclear.length > 0) state.variablesIncomplete = true;
    state.uncertain = uncertain;
  }
  state.cwd = state.launch.cwd;
}

/** Notes a Filebeat that a command of unknown words may start. */
export function unknownCommand(words: readonly string[], state: ShellState): Flow {
  if (words.some((word) => namesFilebeat(word, state.world) || /\.ya?ml$/.test(word))) {
    const why = 'which program a script starts is known only at run time';
    state.world.unclear.push({ subject: state.name, why });
  }
  state.status = undefined;
  return next;
}

export function evalCommand(args: string[], state: ShellState): Flow {
  const text = args.join(' ');
  if (isKnown(text)) return runText(text, state);
  if (namesFilebeat(text, state.world)) unknownCommand([text], state);
  state.uncertain = [...state.uncertain, 'what `eval` runs is known only at run time'];
  state.status = undefined;
  return next;
}

/** Libraries of init scripts; their functions are built in, so the files are not read. */
const initScriptLibraries =
  /^(?:\/usr)?\/lib\/lsb\/init-functions$|^\/etc\/(?:rc\.d\/)?init\.d\/functions$|^\/lib\/init\//;

export function sourceCommand(args: string[], state: ShellState): Flow {
  const [file, ...fileArgs] = args[0] === '--' ? args.slice(1) : args;
  if (file === undefined || !isKnown(file)) {
    state.uncertain = [...state.uncertain, 'which file a script reads is known only at run time'];
    state.status = undefined;
    return next;
  }
  const path = absolute(file, state.cwd);
  if (initScriptLibraries.test(path)) {
    state.status = 0;
    return next;
  }
  const stat = statOf(path, state.world);
  const text = stat === undefined || stat === 'missing' ? undefined : readScript(path, state.world);
  if (text === undefined) {
    state.status = stat === 'missing' ? 1 : undefined;
    // dash ends where the file is missing.
    if (stat === 'missing') return state.dialect === 'posix' ? { kind: 'exit' } : next;
    state.variablesIncomplete = true;
    state.uncertain = [...state.uncertain, `${path} cannot be read`];
    return next;
  }
  const { args: before } = state;
  if (fileArgs.length > 0 && state.dialect === 'bash') state.args = fileArgs;
  state.status = 0;
  const flow = runText(text, state);
  state.args = fileArgs.length > 0 && state.dialect === 'bash' ? before : state.args;
  return flow.kind === 'return' ? next : flow;
}
