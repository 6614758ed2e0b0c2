/**
 * Unit directories by precedence, and in them unit files, alias and mask links, drop-ins and `*.wants` links
 * (systemd.unit(5) "UNIT FILE LOAD PATH").
 */
import type { FileView } from '../../../filebeat/files/file-view.js';
import { limits } from '../../../model/limits.js';
import type { Gap } from '../../../model/model.js';
import { parseServiceName, templateName, type UnitName } from './unit-specifiers.js';

/** Highest precedence first, with the output of generators and transient units. */
const unitDirectories = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  '/etc/systemd/system',
  '/etc/systemd/system.attached',
  '/run/systemd/system',
  '/run/systemd/system.attached',
  '/run/systemd/generator',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/run/systemd/generator.late',
] as const;

/** Entries read of one unit directory. */
const listLimit = limits.unitEntries;

export interface UnitDirectory {
  path: string;
  names: ReadonlySet<string>;
}

export interface UnitIndex {
  directories: UnitDirectory[];
  /** Canonical paths of the directories: a link into one of them is an alias, any other a linked unit file. */
  canonical: ReadonlySet<string>;
  /** Unit → the names of the links in its `.wants`, `.requires` and `.upholds` directories. */
  links: ReadonlyMap<string, ReadonlySet<string>>;
  gaps: Gap[];
}

/** Lists all unit directories. Missing ones are not a gap; one reached twice (`/lib` → `usr/lib`) is listed once. */
export function indexUnits(files: FileView): UnitIndex {
  const directories: UnitDirectory[] = [];
  const canonical = new Set<string>();
  const gaps: Gap[] = [];
  const links = new Map<string, Set<string>>();
  const list = (path: string): string[] => {
    const names = files.list(path, listLimit);
    if (names.ok) return names.value;
    if (names.gap.reason !== 'missing') gaps.push(names.gap);
    return [];
  };
  for (const path of unitDirectories) {
    const real = files.resolve(path);
    if (!real.ok) {
      if (real.gap.reason !== 'missing') gaps.push(real.gap);
      continue;
    }
    if (canonical.has(real.value)) continue;
    canonical.add(real.value);
    const names = list(path);
    directories.push({ path, names: new Set(names) });
    for (const name of names) {
      const owner = /^(.+)\.(?:wants|requires|upholds)$/.exec(name)?.[1];
      if (owner === undefined) continue;
      const folder = files.resolve(`${path}/${name}`);
      for (const link of list(`${path}/${name}`)) {
        // Only links count.
        const target = files.resolve(`${path}/${name}/${link}`);
        if (folder.ok && target.ok && target.value === `${folder.value}/${link}`) continue;
        if (!links.has(owner)) links.set(owner, new Set());
        links.get(owner)!.add(link);
      }
    }
  }
  return { directories, canonical, links, gaps };
}

/** Names of all services with a file or link, including templates; sorted. */
export function serviceNames(index: UnitIndex): string[] {
  const names = new Set<string>();
  for (const directory of index.directories) {
    for (const name of directory.names) if (parseServiceName(name)) names.add(name);
  }
  return [...names].sort();
}

export type Fragment =
  /** `path` as the unit directory has it; `alias`: the link leads to another unit's name. */
  | { kind: 'file'; path: string }
  | { kind: 'alias'; of: string }
  /** A link to /dev/null, an empty file or a broken link; `hidden` is the file that it hides. */
  | { kind: 'masked'; path: string; hidden?: string }
  | { kind: 'none' };

/** The file of exactly this name; an instance does not fall back to its template. */
export function findFragment(files: FileView, index: UnitIndex, name: string): Fragment {
  const directories = index.directories.filter((directory) => directory.names.has(name));
  for (const [rank, directory] of directories.entries()) {
    const path = `${directory.path}/${name}`;
    const real = files.resolve(path);
    const stat = files.stat(path);
    if (!real.ok || !stat.ok) {
      const unreadable = (!real.ok && real.gap.reason !== 'missing') || (!stat.ok && stat.gap.reason !== 'missing');
      if (unreadable) return { kind: 'file', path };
      // In a root without /dev a mask is a broken link.
      return masked(path, directories.slice(rank + 1), name);
    }
    if (stat.value.kind === 'other' || stat.value.size === 0) return masked(path, directories.slice(rank + 1), name);
    if (stat.value.kind !== 'file') continue;
    const slash = real.value.lastIndexOf('/');
    const target = real.value.slice(slash + 1);
    if (index.canonical.has(real.value.slice(0, slash)) && target !== name && aliasAllowed(name, target)) {
      return { kind: 'alias', of: target };
    }
    return { kind: 'file', path };
  }
  return { kind: 'none' };
}

function masked(path: string, weaker: UnitDirectory[], name: string): Fragment {
  const hidden = weaker[0];
  return hidden ? { kind: 'masked', path, hidden: `${hidden.path}/${name}` } : { kind: 'masked', path };
}

/** A name without an instance may alias another such name, a template a template, an instance the same instance or a template. */
function aliasAllowed(name: string, target: string): boolean {
  const from = parseServiceName(name);
  const to = parseServiceName(target);
  if (!from || !to) return false;
  if (from.instance === undefined || to.instance === undefined) return from.instance === to.instance;
  return to.instance === '' || to.instance === from.instance;
}

/**
 * The drop-ins of a unit in the order they are read: by file name. Of equal names the one of highest precedence counts: unit
 * directories by precedence, in each the unit's own `.d`, its template's, those of its dashed prefixes; `service.d`, for all
 * services, comes after these.
 */
export function findDropIns(
  files: FileView,
  index: UnitIndex,
  names: readonly UnitName[],
): { paths: string[]; gaps: Gap[] } {
  const gaps: Gap[] = [];
  const directories: string[] = [];
  const add = (directory: UnitDirectory, name: string) => {
    if (directory.names.has(`${name}.d`)) directories.push(`${directory.path}/${name}.d`);
  };
  for (const name of names) {
    const wanted = dropInNames(name);
    for (const directory of index.directories) for (const one of wanted) add(directory, one);
  }
  for (const directory of index.directories) add(directory, 'service');

  const chosen = new Map<string, string>();
  for (const directory of directories) {
    const list = files.list(directory, listLimit);
    if (!list.ok) {
      if (list.gap.reason !== 'missing') gaps.push(list.gap);
      continue;
    }
    for (const file of list.value) {
      if (file.endsWith('.conf') && !file.startsWith('.') && !chosen.has(file))
        chosen.set(file, `${directory}/${file}`);
    }
  }
  const byName = [...chosen].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return { paths: byName.map(([, path]) => path), gaps };
}

/** `a-b@i.service` → itself, `a-b@.service`, `a-@.service`, `a-@i.service`: most specific first. */
function dropInNames(name: UnitName): string[] {
  const template = templateName(name);
  const own = [name.full];
  if (template) own.push(...dropInNames(parseServiceName(template)!));
  const trimmed = name.prefix.endsWith('-') ? name.prefix.slice(0, -1) : name.prefix;
  const dash = trimmed.lastIndexOf('-');
  if (dash <= 0) return own;
  const prefix = trimmed.slice(0, dash + 1);
  const at = name.instance ? `@${name.instance}` : '';
  return [...own, ...dropInNames(parseServiceName(`${prefix}${at}.service`)!)];
}
