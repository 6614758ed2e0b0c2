/**
 * Resolves paths inside one root (the host's, or a container's through `/proc/<pid>/root`) as a process inside would. The kernel
 * would follow an absolute link below `/proc/<pid>/root` in the exporter's own root, so links are resolved by hand.
 */
import { lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { FILE_IN_THE_WAY } from '../../filebeat/files/file-view.js';
import type { Gap, GapReason } from '../../model/model.js';
import { during, quarantinedPaths, quarantineGap } from '../heartbeat.js';
import { mayUse, type Reader, SEARCH } from '../permissions.js';
import { gapOf } from '../proc-fs.js';
import { errnoOf, MISSING, markOf, searchMarkOf } from './file-marks.js';

/** One root and who reads below it. */
export interface RootAccess {
  /** The directory that is `/` for the paths. */
  root: string;
  /** `root` without a slash at its end. */
  prefix: string;
  /** The exporter's own root, read with its own permissions: links lead to the same files for the kernel. */
  isOwnRoot: boolean;
  /** Absent: the exporter, with all that it may read. */
  reader: Reader | undefined;
  /** Called with every path (without links) that an answer depends on, and its mark: see `file-marks.ts`. */
  observe: ((canonical: string, mark: string) => void) | undefined;
  /** Directories without a link on their path, as found before for the same answer. */
  foldersWithoutLinks: Set<string> | undefined;
}

export type Failure = { ok: false; gap: Gap };
export type Walk = { ok: true; canonical: string; stats: Stats } | Failure;

/** The kernel follows as many (path_resolution(7)). */
const MOST_LINKS = 40;

/** Root → directories that mounts of the exporter's own hide: what is missing there may exist on the host. */
const veiled = new Map<string, readonly string[]>();

/** For all views of that root in this thread. */
export function veil(root: string, directories: readonly string[]): void {
  veiled.set(root, directories);
}

function absent(root: string, path: string): GapReason {
  const hidden = veiled.get(root)?.some((directory) => path === directory || path.startsWith(`${directory}/`));
  return hidden ? 'vantage' : 'missing';
}

export function walk(access: RootAccess, path: string): Walk {
  return walkOwnRoot(access, path) ?? walkStepwise(access, path);
}

/** Lets the kernel resolve the path. Undefined where that takes a link, or fails: then the stepwise walk tells where and how. */
function walkOwnRoot({ root, isOwnRoot, observe, foldersWithoutLinks }: RootAccess, path: string): Walk | undefined {
  if (!isOwnRoot || quarantinedPaths().length > 0) return undefined;
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, slash) || '/';
  const name = path.slice(slash + 1);
  if (slash < 0 || name === '' || name === '.' || name === '..') return undefined;
  try {
    return during(path, () => {
      const isKnown = foldersWithoutLinks?.has(folder);
      if (!isKnown && realpathSync.native(folder) !== folder) return undefined;
      // Throws where the folder is no directory.
      const stats = lstatSync(path, { throwIfNoEntry: false });
      if (!isKnown && foldersWithoutLinks !== undefined) addWithParents(foldersWithoutLinks, folder);
      if (stats === undefined) {
        observe?.(path, MISSING);
        return { ok: false, gap: { reason: absent(root, path), subject: path } };
      }
      if (stats.isSymbolicLink()) return undefined;
      observe?.(path, markOf(stats));
      return { ok: true, canonical: path, stats };
    });
  } catch {
    return undefined;
  }
}

function addWithParents(folders: Set<string>, folder: string): void {
  for (let end = folder.length; end > 0 && !folders.has(folder.slice(0, end)); end = folder.lastIndexOf('/', end - 1))
    folders.add(folder.slice(0, end));
}

function walkStepwise(access: RootAccess, path: string): Walk {
  const { root, prefix, reader, observe, foldersWithoutLinks } = access;
  const pending = path.split('/').reverse();
  /** The part of the path that is resolved; it holds no link. */
  let canonical = '';
  let stats: Stats | undefined;
  let links = 0;
  try {
    while (pending.length > 0) {
      const part = pending.pop()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        canonical = canonical.slice(0, Math.max(0, canonical.lastIndexOf('/')));
        stats = undefined;
        continue;
      }
      const next = `${canonical}/${part}`;
      const quarantined = quarantineGap(root, next, path);
      if (quarantined !== undefined) return { ok: false, gap: quarantined };
      if (foldersWithoutLinks?.has(next)) {
        canonical = next;
        stats = undefined;
        continue;
      }
      const here = `${prefix}${next}`;
      stats = during(here, () => lstatSync(here));
      if (stats.isSymbolicLink()) {
        observe?.(next, markOf(stats));
        if (++links > MOST_LINKS) return malformed(path, 'too many links');
        const target = during(here, () => readlinkSync(here));
        if (target.startsWith('/')) canonical = '';
        pending.push(...target.split('/').reverse());
        stats = undefined;
        continue;
      }
      if (!stats.isDirectory() && pending.some((more) => more !== '')) {
        observe?.(next, markOf(stats));
        return { ok: false, gap: { reason: 'missing', subject: path, detail: FILE_IN_THE_WAY } };
      }
      if (reader !== undefined && pending.some((more) => more !== '' && more !== '.')) {
        // Everybody may search most directories; a change of the mode of these is not noticed.
        if ((stats.mode & SEARCH) === 0) observe?.(next, searchMarkOf(stats));
        if (!mayUse(reader, stats, SEARCH)) return denied(access, path);
      }
      canonical = next;
    }
    // The slash makes the kernel enter the root even where `<pid>/root` is a link.
    const end = `${prefix}${canonical}/`;
    stats ??= during(end, () => lstatSync(end));
    observe?.(canonical === '' ? '/' : canonical, markOf(stats));
    return { ok: true, canonical: canonical === '' ? '/' : canonical, stats };
  } catch (error) {
    const failed = failedPath(error, prefix);
    if (failed !== undefined) observe?.(failed, errnoOf(error));
    return { ok: false, gap: gapOf(error, path, absent(root, failed ?? path)) };
  }
}

/** The path below the root at which a walk failed; the result depends on that path alone. */
function failedPath(error: unknown, prefix: string): string | undefined {
  const path = (error as NodeJS.ErrnoException).path;
  return path?.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}

export function denied({ reader }: RootAccess, path: string): Failure {
  const uid = reader?.uid ?? 0;
  return { ok: false, gap: { reason: 'denied', subject: path, detail: `uid ${uid} may not read it`, deniedTo: uid } };
}

export function malformed(subject: string, detail: string): Failure {
  return { ok: false, gap: { reason: 'malformed', subject, detail } };
}
