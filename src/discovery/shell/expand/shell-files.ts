/** Files as the tests and patterns of a shell see them: present, missing or unknown. */
import type { FileStat } from '../../../filebeat/files/file-view.js';
import { limits } from '../../../model/limits.js';
import { absolute, isKnown, isSettled, type LaunchContext, unknown } from '../../launch/launch-context.js';
import type { ShellState } from '../shell-state.js';
import { matches, type Segment } from './shell-pattern.js';

/** The file at a path; undefined where what will be there is unknown. */
export function statOf(path: string, world: LaunchContext): FileStat | 'missing' | undefined {
  if (!isKnown(path) || !isSettled(path, world)) return undefined;
  const stat = world.files.stat(path);
  if (stat.ok) return stat.value;
  return stat.gap.reason === 'missing' ? 'missing' : undefined;
}

/** `test -f` and the like; undefined where the answer is unknown. */
export function fileTest(operator: string, operand: string, state: ShellState): boolean | undefined {
  if (!isKnown(operand)) return undefined;
  if (operand === '') return false;
  const path = absolute(operand, state.cwd);
  const stat = statOf(path, state.world);
  if (stat === undefined) return undefined;
  if (stat === 'missing') return operator === '-L' || operator === '-h' ? undefined : false;
  switch (operator) {
    case '-e':
    case '-a':
      return true;
    case '-f':
      return stat.kind === 'file';
    case '-d':
      return stat.kind === 'directory';
    case '-s':
      return stat.kind === 'directory' ? true : stat.size > 0;
    case '-r':
      return state.launch.user.uid === 0 || (stat.mode & 0o004) !== 0 ? true : undefined;
    case '-x':
      if (stat.kind === 'directory') return state.launch.user.uid === 0 ? true : undefined;
      if ((stat.mode & 0o111) === 0) return false;
      return state.launch.user.uid === 0 || (stat.mode & 0o001) !== 0 ? true : undefined;
    default:
      return undefined;
  }
}

export function readScript(path: string, world: LaunchContext): string | undefined {
  const content = world.files.read(path, limits.scriptBytes);
  if (!content.ok) return undefined;
  world.read.add(path);
  return new TextDecoder().decode(content.value.bytes);
}

/** The files that a pattern matches, sorted; undefined where that is unknown. */
export function listMatches(segments: readonly Segment[], state: ShellState): string[] | undefined {
  const chars = segments.flatMap(({ text, quoted }) => [...text].map((char) => ({ text: char, quoted })));
  const parts: Segment[][] = [[]];
  for (const char of chars) {
    if (char.text === '/') parts.push([]);
    else parts.at(-1)!.push(char);
  }
  let found = [''];
  for (const [at, part] of parts.entries()) {
    const text = part.map((one) => one.text).join('');
    const isPattern = part.some((one) => !one.quoted && /[*?[]/.test(one.text));
    const joint = at === 0 ? '' : '/';
    if (!isPattern) {
      found = found.map((base) => `${base}${joint}${text}`);
      continue;
    }
    const all: string[] = [];
    for (const base of found) {
      const folder = absolute(at === 0 ? '.' : `${base}/`, state.cwd);
      if (!isSettled(folder, state.world)) return undefined;
      const names = state.world.files.list(folder, limits.configEntries);
      if (!names.ok) {
        if (names.gap.reason === 'missing') continue;
        return undefined;
      }
      const visible = names.value.filter((name) => !name.startsWith('.') || text.startsWith('.'));
      for (const name of visible) if (matches(part, name)) all.push(`${base}${joint}${name}`);
    }
    found = all;
    state.world.steps.left -= all.length;
  }
  const existing = found.filter((path) => state.world.files.stat(absolute(path, state.cwd)).ok);
  // The order depends on the locale; it does not change what is started.
  return existing.length > 1000 ? [unknown] : existing;
}
