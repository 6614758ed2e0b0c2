/** A unit's name → its file, its drop-ins and its settings, through aliases, templates and masks. */
import type { FileView } from '../../../filebeat/files/file-view.js';
import { lastSetting } from './unit-file.js';
import { findDropIns, findFragment, serviceNames, type UnitIndex } from './unit-search.js';
import { readAssignments, type SourcedAssignment } from './unit-settings.js';
import { parseServiceName, templateName } from './unit-specifiers.js';

const maxAliases = 8;

/** The unit files of a root. */
export interface UnitFiles {
  files: FileView;
  index: UnitIndex;
  /** Alias → the name of the unit it links to. */
  aliases: ReadonlyMap<string, string>;
}

export interface Located {
  fragment: string;
  masked: boolean;
  /** The name of a target or the like that is reached by an alias. */
  name?: string;
}

/** The settings of a unit of any kind, by one of its names; undefined where it does not exist or is masked. */
export function readAny(
  wanted: string,
  units: UnitFiles,
): { name: string; assignments: SourcedAssignment[] } | undefined {
  const { files, index } = units;
  const name = units.aliases.get(wanted) ?? wanted;
  const service = parseServiceName(name);
  if (service?.instance === '') {
    const instance = defaultInstance(files, index, name);
    return instance === undefined ? undefined : readAny(`${service.prefix}@${instance}.service`, units);
  }
  const found = service === undefined ? locateOther(name, units) : locate(name, units);
  if (found === undefined || found.masked) return undefined;
  const dropIns =
    service === undefined ? otherDropIns(found.name ?? name, units) : findDropIns(files, index, [service]).paths;
  const { assignments } = readAssignments(files, [found.fragment, ...dropIns]);
  return { name: service === undefined ? (found.name ?? name) : name, assignments };
}

/** The file of a target, timer, slice …, by its name or its template's. */
function locateOther(name: string, { files, index }: UnitFiles): Located | undefined {
  const template = name.replace(/@[^.]*(?=\.\w+$)/, '@');
  for (const one of [name, template]) {
    for (const { path, names } of index.directories) {
      if (!names.has(one)) continue;
      const real = files.resolve(`${path}/${one}`);
      const stat = files.stat(`${path}/${one}`);
      if (!real.ok || !stat.ok) continue;
      const target = real.value.slice(real.value.lastIndexOf('/') + 1);
      const isAlias = target !== one && /\.\w+$/.test(target);
      const isMasked = stat.value.kind !== 'file' || (stat.value.size === 0 && !/\.target$/.test(one));
      return { fragment: `${path}/${one}`, masked: isMasked, ...(isAlias ? { name: target } : {}) };
    }
  }
  return undefined;
}

function otherDropIns(name: string, { files, index }: UnitFiles): string[] {
  return index.directories
    .filter(({ names }) => names.has(`${name}.d`))
    .flatMap(({ path }) => {
      const list = files.list(`${path}/${name}.d`, 1000);
      const found = list.ok ? list.value.filter((file) => file.endsWith('.conf')) : [];
      return found.map((file) => `${path}/${name}.d/${file}`);
    });
}

/** The file of a service, by its name or its template's; for a masked one the file that the mask hides. */
export function locate(full: string, units: UnitFiles): Located | undefined {
  const name = parseServiceName(full)!;
  const template = templateName(name);
  let wanted = full;
  for (let hop = 0; hop < maxAliases; hop += 1) {
    const found = findFragment(units.files, units.index, wanted);
    if (found.kind === 'file') return { fragment: found.path, masked: false };
    if (found.kind === 'alias') {
      wanted = found.of;
    } else if (found.kind === 'masked') {
      const weaker = found.hidden ?? (template && wanted !== template ? locate(template, units)?.fragment : undefined);
      return weaker === undefined ? undefined : { fragment: weaker, masked: true };
    } else if (template !== undefined && wanted !== template) {
      wanted = template;
    } else {
      return undefined;
    }
  }
  return undefined;
}

/** Alias links between services without an instance; `locate` follows the others. */
export function aliasNames(files: FileView, index: UnitIndex): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const name of serviceNames(index)) {
    const found = findFragment(files, index, name);
    if (found.kind === 'alias' && parseServiceName(found.of)?.instance !== '') aliases.set(name, found.of);
  }
  return aliases;
}

/** `DefaultInstance=` of a template. */
export function defaultInstance(files: FileView, index: UnitIndex, template: string): string | undefined {
  const found = findFragment(files, index, template);
  if (found.kind !== 'file') return undefined;
  const { assignments } = readAssignments(files, [found.path]);
  return lastSetting(assignments, 'Install', 'DefaultInstance')?.value;
}
