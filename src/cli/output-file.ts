/** `--output`: a file is replaced as a whole, what is no file is written to, and a link is followed. */
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
  /** One of our own: /dev/stdout, /dev/fd/63. */
  | { kind: 'descriptor'; number: number };

/** As the kernel's own limit, path_resolution(7). */
const mostLinks = 40;

const ownDescriptors = new RegExp(`^/proc/${process.pid}(/task/\\d+)?/fd$`);

/** Writes all of it. Throws `StartError`. A FIFO is waited for until somebody reads it. */
export async function writeOutput(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const target = follow(path);
    switch (target.kind) {
      case 'file':
        sweepBeside(target.path);
        return writeFileAtomically(target.path, bytes, 0o644);
      case 'descriptor':
        for (let at = 0; at < bytes.length; ) at += writeSync(target.number, bytes, at);
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
  for (let links = 0; links <= mostLinks; links++) {
    // Through the kernel, which has its own say about links in the folder's path.
    statSync(dirname(at));
    const folder = realpathSync(dirname(at));
    const name = basename(at);
    if (ownDescriptors.test(folder) && /^\d+$/.test(name)) return { kind: 'descriptor', number: Number(name) };
    at = join(folder, name);
    const stats = lstatSync(at, { throwIfNoEntry: false });
    if (!stats?.isSymbolicLink()) return { kind: kindOf(path, stats, folder), path: at };
    if (isPlanted(stats, folder)) throw refusal(path, 'is a link that another user made in a folder open to everybody');
    at = resolve(folder, readlinkSync(at));
  }
  throw refusal(path, 'too many links');
}

function kindOf(path: string, stats: Stats | undefined, folder: string): 'file' | 'stream' {
  if (stats === undefined || stats.isFile()) return 'file';
  if (stats.isDirectory()) throw refusal(path, 'is a folder');
  if (stats.isSocket()) throw refusal(path, 'is a socket');
  if (stats.isBlockDevice()) throw refusal(path, 'is a block device, whose content would be lost');
  if (stats.isFIFO() && isPlanted(stats, folder))
    throw refusal(path, 'is a FIFO that another user made in a folder open to everybody');
  return 'stream';
}

/** By the rule of fs.protected_symlinks, proc_sys_fs(5): such a thing leads where its owner likes. */
function isPlanted({ uid }: Stats, folder: string): boolean {
  const of = statSync(folder);
  const isOpenToAll = (of.mode & 0o1002) === 0o1002;
  return isOpenToAll && uid !== process.geteuid?.() && uid !== of.uid;
}
