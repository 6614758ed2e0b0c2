/** `--output`: replaces a regular file atomically, writes to a device or FIFO, and follows symbolic links. */
import { constants, lstatSync, readlinkSync, realpathSync, type Stats, statSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { sweepBeside, writeFileAtomically } from '../runtime/atomic-file.js';
import { StartError } from './start-error.js';

type Target =
  /** A plain file, or none yet: `path` has no link in it. */
  | { kind: 'file'; path: string }
  /** A device or FIFO. */
  | { kind: 'stream'; path: string }
  /** One of this process: /dev/stdout, /dev/fd/63. */
  | { kind: 'descriptor'; number: number };

/** The kernel's own limit, path_resolution(7). */
const maxLinks = 40;

const ownDescriptors = new RegExp(`^/proc/${process.pid}(/task/\\d+)?/fd$`);

/** Writes all bytes; waits for a reader of a FIFO. Throws `StartError`. */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const target = follow(path);
    switch (target.kind) {
      case 'file':
        sweepBeside(target.path);
        return writeFileAtomically(target.path, bytes, 0o644);
      case 'descriptor':
        for (let offset = 0; offset < bytes.length; ) offset += writeSync(target.number, bytes, offset);
        return;
      case 'stream': {
        const handle = await open(target.path, constants.O_WRONLY | constants.O_NOCTTY);
        await handle.writeFile(bytes).finally(() => handle.close());
      }
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw refusal(path, `cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

const refusal = (path: string, why: string) => new StartError(`${path}: ${why}`);

function follow(path: string): Target {
  let at = path;
  for (let links = 0; links <= maxLinks; links++) {
    // Lets the kernel apply its own rules for links in the directory's path (fs.protected_symlinks).
    statSync(dirname(at));
    const folder = realpathSync(dirname(at));
    const name = basename(at);
    if (ownDescriptors.test(folder) && /^\d+$/.test(name)) return { kind: 'descriptor', number: Number(name) };
    at = join(folder, name);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) return { kind: kindOf(path, stats, folder), path: at };
    if (isPlanted(stats, folder)) throw refusal(path, 'is a link that another user made in a world-writable folder');
    at = resolve(folder, readlinkSync(at));
  }
  throw refusal(path, 'has too many symbolic links');
}

function kindOf(path: string, stats: Stats | undefined, folder: string): 'file' | 'stream' {
  if (stats === undefined || stats.isFile()) return 'file';
  if (stats.isDirectory()) throw refusal(path, 'is a folder');
  if (stats.isSocket()) throw refusal(path, 'is a socket');
  if (stats.isBlockDevice()) throw refusal(path, 'is a block device, whose content would be lost');
  if (stats.isFIFO() && isPlanted(stats, folder))
    throw refusal(path, 'is a FIFO that another user made in a world-writable folder');
  return 'stream';
}

/** The rule of fs.protected_symlinks, proc_sys_fs(5): in a sticky world-writable directory, a link of another user is not followed. */
function isPlanted({ uid }: Stats, folder: string): boolean {
  const directory = statSync(folder);
  const isSharedSticky = (directory.mode & 0o1002) === 0o1002;
  return isSharedSticky && uid !== process.geteuid?.() && uid !== directory.uid;
}
