/** Ordinary programs that scripts call on the way: what they write, and that they end well where nothing is odd. */
import { absolute, baseName, isKnown, type Outcome, type World } from '../launch/launch-world.js';
import { statOf } from './shell-files.js';

/** They prepare a start, and a start that they spoil has failed: that is no question of which way a script goes. */
const preparing = new Set([
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

/** They write files that are named among their words. */
const writing = new Set([
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

/** They stay in the foreground. */
function stays(name: string, args: readonly string[]): boolean {
  return name === 'tail' && args.some((word) => /^-\w*[fF]|^--follow/.test(word));
}

/** Functions of the libraries for init scripts that only tell or ask. */
const telling = /^log_(?:daemon|progress|end|success|failure|warning|action|begin)_\w+$|^(?:echo_success|success)$/;

interface Place {
  cwd: string;
  world: World;
}

/** Undefined: it is none of these, and is followed like any program. */
export function bearings(words: readonly string[], state: Place): Outcome | undefined {
  const [program, ...args] = words as [string, ...string[]];
  const name = baseName(program);
  if (telling.test(program)) return { ends: true, status: 0, output: '' };
  if (stays(name, args)) return { ends: false };
  if (writing.has(name) && (name !== 'sed' || args.some((word) => /^-\w*i|^--in-place/.test(word)))) {
    for (const word of args) {
      const path = word.replace(/^(?:of|-[A-Za-z]|--[\w-]+)=/, '');
      if (!path.startsWith('-') && isKnown(path) && isKnown(state.cwd))
        noteWritten(name, absolute(path, state.cwd), args, state);
    }
  }
  if (name === 'mkdir' && !args.some((word) => /^-\w*p|^--parents/.test(word))) {
    // Without -p a folder that is there makes it fail.
    const paths = args.filter((word) => !word.startsWith('-')).map((word) => absolute(word, state.cwd));
    return {
      ends: true,
      status: paths.some((path) => statOf(path, state.world) !== 'missing') ? undefined : 0,
      output: '',
    };
  }
  return preparing.has(name) ? { ends: true, status: 0, output: '' } : undefined;
}

/** Of several paths of `cp` and `mv` only the last is written, and what is moved away is gone. */
function noteWritten(name: string, path: string, args: readonly string[], { cwd, world }: Place): void {
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
