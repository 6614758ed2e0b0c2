/** Utilities that scripts call before a start: they succeed, and some of them write files. */
import { absolute, baseName, isKnown, type LaunchContext, type Outcome } from '../../launch/launch-context.js';
import { statOf } from '../expand/shell-files.js';

/** They are taken to succeed: where one of them fails, the start fails with it. */
const preparingPrograms = new Set([
  'mkdir',
  'chown',
  'chmod',
  'chgrp',
  'install',
  'touch',
  'cp',
  'mv',
  'ln',
  'rm',
  'rmdir',
  'setfacl',
  'restorecon',
  'chcon',
  'setcap',
  'sysctl',
  'logger',
  'sync',
  'tee',
  'renice',
]);

/** They write files named among their arguments. */
const writingPrograms = new Set([
  'install',
  'touch',
  'cp',
  'mv',
  'ln',
  'rm',
  'tee',
  'sed',
  'rsync',
  'tar',
  'unzip',
  'dd',
  'patch',
]);

/** Whether a program runs until it is killed. */
function staysInForeground(name: string, args: readonly string[]): boolean {
  return name === 'tail' && args.some((word) => /^-\w*[fF]|^--follow/.test(word));
}

/** Functions of the initScriptLibraries for init scripts that only print. */
const logFunctions =
  /^log_(?:daemon|progress|end|success|failure|warning|action|begin)_\w+$|^(?:echo_success|success)$/;

interface Directory {
  cwd: string;
  world: LaunchContext;
}

/** How a utility ends; undefined where the program is not one of these. */
export function commonUtility(words: readonly string[], state: Directory): Outcome | undefined {
  const [program, ...args] = words as [string, ...string[]];
  const name = baseName(program);
  if (logFunctions.test(program)) return { ends: true, status: 0, output: '' };
  if (staysInForeground(name, args)) return { ends: false };
  if (writingPrograms.has(name) && (name !== 'sed' || args.some((word) => /^-\w*i|^--in-place/.test(word)))) {
    for (const word of args) {
      const path = word.replace(/^(?:of|-[A-Za-z]|--[\w-]+)=/, '');
      if (!path.startsWith('-') && isKnown(path) && isKnown(state.cwd))
        noteWritten(name, absolute(path, state.cwd), args, state);
    }
  }
  if (name === 'mkdir' && !args.some((word) => /^-\w*p|^--parents/.test(word))) {
    // Without -p it fails where the directory exists.
    const paths = args.filter((word) => !word.startsWith('-')).map((word) => absolute(word, state.cwd));
    return {
      ends: true,
      status: paths.some((path) => statOf(path, state.world) !== 'missing') ? undefined : 0,
      output: '',
    };
  }
  return preparingPrograms.has(name) ? { ends: true, status: 0, output: '' } : undefined;
}

/** Notes a path among the arguments as written; of those of `cp` and the like only the last one is. */
function noteWritten(name: string, path: string, args: readonly string[], { cwd, world }: Directory): void {
  const isCopy = name === 'cp' || name === 'install' || name === 'ln' || name === 'rsync';
  const last = args.at(-1);
  if (isCopy && last !== undefined && absolute(last, cwd) !== path) return;
  const isFolder = statOf(path, world);
  if (isFolder !== undefined && isFolder !== 'missing' && isFolder.kind === 'directory') {
    for (const word of isCopy ? args.slice(0, -1) : [])
      if (!word.startsWith('-')) world.written.add(`${path}/${baseName(word)}`);
    if (isCopy && !args.some((word) => /^-\w*[raR]|^--recursive/.test(word))) return;
  }
  world.written.add(path);
}
