/**
 * The present marks of files (`file-marks.ts`). In one scan each path is looked at once for all processes with the same files, and
 * a missing path only if its directory has changed: no name appears in a directory without a new mtime and ctime of it.
 */
import { constants, lstatSync, type Stats, statfsSync } from 'node:fs';
import { during } from '../heartbeat.js';
import { errnoOf, isSearchMark, isUnsettled, MISSING, searchMarkOf, signatureOf } from './file-marks.js';

/** What lstat(2) says; `Stats` would take five times the memory. */
type Facts = Pick<Stats, 'dev' | 'ino' | 'mode' | 'uid' | 'gid' | 'size' | 'mtimeMs' | 'ctimeMs'>;

/** One path of one view. */
export interface MarkRow {
  /** Inside the root, without links. */
  readonly path: string;
  /** Whether its marks are those of a directory on the way: see `searchMarkOf`. */
  readonly isSearch: boolean;
  /** Number of the scan that looked at it last. */
  scan: number;
  mark: string;
  facts: Facts | undefined;
  /** Increases when `facts` change in any way. */
  version: number;
  /** Of a missing path. */
  directory: MarkRow | undefined;
  /** The version of the directory in which the path was seen to be missing. */
  missingSince: number | undefined;
  /** Whether it is a directory whose time stamps can be relied upon; undefined: not asked yet. */
  isLocal: boolean | undefined;
}

export interface MarkTable {
  /** The row of a path with this recorded mark; one object for all who ask for the same. `view`: see `ReadOptions`. */
  row(view: string, path: string, recorded: string): MarkRow;
  /** The mark of a path in this scan. `root`: a directory in which the view sees the path. */
  mark(row: MarkRow, view: string, root: string): string;
  /** Ends the scan. `inUse`: drops all other rows; absent: keeps all. */
  endScan(inUse?: Iterable<MarkRow>): void;
}

/**
 * Types of statfs(2) of file systems that change a directory's time stamps with its names. FUSE, NFS, 9p, procfs and sysfs do not,
 * or only after a while.
 */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x794c7630, // overlay
  0x73717368, // squashfs
]);

export function createMarkTable(): MarkTable {
  let rows = new Map<string, MarkRow>();
  let scan = 1;

  function row(view: string, path: string, recorded: string): MarkRow {
    const isSearch = isSearchMark(recorded);
    const key = `${view}${isSearch ? ' search ' : ' '}${path}`;
    let found = rows.get(key);
    if (found === undefined) {
      found = newRow(path, isSearch, recorded === MISSING ? MISSING : '');
      rows.set(key, found);
    }
    return found;
  }

  /** `prefix`: the root without a slash at its end. */
  function look(one: MarkRow, prefix: string): void {
    one.scan = scan;
    try {
      const path = `${prefix}${one.path}`;
      const stats = during(path, () => lstatSync(path, { throwIfNoEntry: false }));
      if (stats === undefined) note(one, MISSING);
      else if (one.facts === undefined || !isSame(one.facts, stats)) {
        note(one, one.isSearch ? searchMarkOf(stats) : signatureOf(stats), stats);
      }
    } catch (error) {
      note(one, errnoOf(error));
    }
  }

  /** The directory is looked at first: a name that appears afterwards gives it another version. */
  function lookForMissing(one: MarkRow, view: string, prefix: string): void {
    one.directory ??= row(view, one.path.slice(0, one.path.lastIndexOf('/')) || '/', '');
    const { directory } = one;
    if (directory.isLocal !== false && directory.scan !== scan) look(directory, prefix);
    if (one.missingSince === directory.version) {
      one.scan = scan;
      return;
    }
    look(one, prefix);
    const isProven = one.mark === MISSING && directory.scan === scan && isReliable(directory, prefix);
    one.missingSince = isProven ? directory.version : undefined;
  }

  return {
    row,
    mark(one, view, root) {
      if (one.scan === scan) return one.mark;
      const prefix = root.endsWith('/') ? root.slice(0, -1) : root;
      if (one.mark === MISSING) lookForMissing(one, view, prefix);
      else look(one, prefix);
      return one.mark;
    },
    endScan(inUse) {
      scan++;
      if (inUse === undefined) return;
      const wanted = new Set<MarkRow>();
      for (const one of inUse) {
        wanted.add(one);
        if (one.directory !== undefined) wanted.add(one.directory);
      }
      rows = new Map([...rows].filter(([, one]) => wanted.has(one)));
    },
  };
}

function newRow(path: string, isSearch: boolean, mark: string): MarkRow {
  return {
    path,
    isSearch,
    scan: 0,
    mark,
    facts: undefined,
    version: 0,
    directory: undefined,
    missingSince: undefined,
    isLocal: undefined,
  };
}

function note(row: MarkRow, mark: string, stats?: Stats): void {
  row.mark = mark;
  row.facts = stats && factsOf(stats);
  row.version++;
  row.isLocal = undefined;
}

function factsOf({ dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs }: Stats): Facts {
  return { dev, ino, mode, uid, gid, size, mtimeMs, ctimeMs };
}

function isSame(a: Facts, b: Facts): boolean {
  return (
    a.ino === b.ino &&
    a.ctimeMs === b.ctimeMs &&
    a.mtimeMs === b.mtimeMs &&
    a.size === b.size &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.dev === b.dev
  );
}

/** Whether every later change of the directory's names changes its time stamps. */
function isReliable(directory: MarkRow, prefix: string): boolean {
  const { facts } = directory;
  const isDirectory = facts !== undefined && (facts.mode & constants.S_IFMT) === constants.S_IFDIR;
  if (!isDirectory || isUnsettled(facts)) return false;
  directory.isLocal ??= isLocal(`${prefix}${directory.path}`);
  return directory.isLocal;
}

function isLocal(path: string): boolean {
  try {
    return LOCAL_FILE_SYSTEMS.has(during(path, () => statfsSync(path)).type);
  } catch {
    return false; // It was removed meanwhile.
  }
}
