/** The file that is executed for a word, and what kind of program it is (execve(2), execvp(3)). */
import { limits } from '../../model/limits.js';
import { absolute, baseName, type Environment, isKnown, type LaunchContext } from './launch-context.js';

/** The search path of systemd and of most init scripts. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export type Found =
  | { kind: 'file'; path: string; executable: boolean }
  | { kind: 'missing' }
  /** It depends on more than files. */
  | { kind: 'unknown' };

/** A word with a slash is a path; any other is searched for in `PATH`. */
export function findProgram(
  word: string,
  { cwd, env }: { cwd: string; env: Environment },
  world: LaunchContext,
): Found {
  if (!isKnown(word)) return { kind: 'unknown' };
  if (word.includes('/')) {
    const path = absolute(word, cwd);
    return isKnown(path) ? fileAt(path, world) : { kind: 'unknown' };
  }
  const folders = env['PATH'] ?? systemPath;
  if (!isKnown(folders)) return { kind: 'unknown' };
  for (const folder of folders.split(':')) {
    const path = absolute(`${folder === '' ? '.' : folder}/${word}`, cwd);
    if (!isKnown(path)) return { kind: 'unknown' };
    const found = fileAt(path, world);
    if (found.kind === 'unknown' || (found.kind === 'file' && found.executable)) {
      return found.kind === 'file' && folder.startsWith('/')
        ? { ...found, path: `${folder.replace(/\/+$/, '')}/${word}` }
        : found;
    }
  }
  return { kind: 'missing' };
}

function fileAt(path: string, world: LaunchContext): Found {
  const stat = world.files.stat(path);
  if (!stat.ok) return { kind: stat.gap.reason === 'missing' ? 'missing' : 'unknown' };
  if (stat.value.kind !== 'file') return { kind: 'missing' };
  return { kind: 'file', path, executable: (stat.value.mode & 0o111) !== 0 };
}

export type Content =
  /** `#!INTERPRETER [ARGUMENT]` */
  | { kind: 'script'; interpreter: string; argument?: string; text: string }
  /** Text without `#!`: shells run it, the kernel does not. */
  | { kind: 'text'; text: string }
  | { kind: 'program' };

/** A file that is not text, or cannot be read, is taken for a program. */
export function contentOf(path: string, world: Pick<LaunchContext, 'files'>): Content {
  const stat = world.files.stat(path);
  if (!stat.ok || stat.value.size > limits.scriptBytes || stat.value.size === 0) return { kind: 'program' };
  const content = world.files.read(path, limits.scriptBytes);
  if (!content.ok) return { kind: 'program' };
  const { bytes } = content.value;
  if (isElf(bytes)) return { kind: 'program' };
  const text = new TextDecoder().decode(bytes);
  const head = /^#![ \t]*(\S+)(?:[ \t]+([^\n]*?))?[ \t\r]*(?:\n|$)/.exec(text);
  if (head !== null) {
    const argument = head[2];
    return {
      kind: 'script',
      interpreter: head[1]!,
      text,
      ...(argument === undefined || argument === '' ? {} : { argument }),
    };
  }
  return text.slice(0, 1024).includes('\0') ? { kind: 'program' } : { kind: 'text', text };
}

const ELF = Buffer.from('\x7fELF');

function isElf(bytes: Uint8Array): boolean {
  return ELF.every((byte, at) => byte === bytes[at]);
}

/** Whether a program is a Filebeat by its name; `argument` is its first argument. `names`: further basenames. */
export function isFilebeatProgram(program: string, argument: string | undefined, names: readonly string[]): boolean {
  const base = baseName(program);
  const usual = base === 'filebeat' || base === 'filebeat-oss' || base === 'elastic-otel-collector';
  return usual || names.includes(base) || (base === 'agentbeat' && argument === 'filebeat');
}

/** `filebeat.real`, `filebeat-linux-arm`: named like a Filebeat, and may be one. */
export function bearsTheName(program: string): boolean {
  return /^filebeat[-._](?!god$|.*(?:export|prometheus|monitor|check|watch|ctl|ya?ml$|conf|service))/.test(
    baseName(program),
  );
}
