/**
 * The units that a boot starts: from default.target along `Wants=`, `Requires=`, `BindsTo=`, `Upholds=` and the links of
 * `.wants`, `.requires` and `.upholds` directories, of whatever kind of unit (systemd.unit(5)).
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { lastSetting, listSetting } from './unit-files/unit-file.js';
import type { UnitIndex } from './unit-files/unit-search.js';
import type { SourcedAssignment } from './unit-files/unit-settings.js';
import { splitWords } from './unit-files/unit-words.js';

/** The settings of a unit by its name, with drop-ins; undefined where it does not exist or is masked. */
export type UnitReader = (name: string) => { name: string; assignments: readonly SourcedAssignment[] } | undefined;

export interface Boot {
  /** Unit → the units that pull it in, sorted. */
  started: ReadonlyMap<string, string[]>;
  /** Service → timers, paths, sockets and `OnFailure=` that may start it later. */
  triggered: ReadonlyMap<string, { by: string; how: string }[]>;
}

const pulling = ['Wants', 'Requires', 'BindsTo', 'Upholds'];

/** systemd's own targets, for roots without its files. */
const usual: Record<string, string[]> = {
  'default.target': ['graphical.target'],
  'graphical.target': ['multi-user.target'],
  'multi-user.target': ['basic.target', 'getty.target', 'remote-fs.target'],
  'basic.target': ['sysinit.target', 'sockets.target', 'timers.target', 'paths.target', 'slices.target'],
  'sysinit.target': ['local-fs.target', 'swap.target'],
  'remote-fs.target': ['network-online.target'],
  'network-online.target': ['network.target'],
};

const triggers: Record<string, string> = {
  timer: 'a timer starts it; files do not tell whether it runs now',
  path: 'a path unit starts it; files do not tell whether it runs now',
  socket: 'a socket unit starts it; files do not tell whether it runs now',
  automount: 'an automount starts it',
};

/** Follows the boot through at most `limits.unitEntries` units. */
export function followBoot(files: FileView, index: UnitIndex, read: UnitReader): Boot {
  const started = new Map<string, Set<string>>();
  const triggered = new Map<string, { by: string; how: string }[]>();
  const queue: string[] = [];
  const reach = (wanted: string, by: string) => {
    const unit = read(wanted);
    const name = unit?.name ?? (Object.hasOwn(usual, wanted) ? wanted : undefined);
    if (name === undefined) return;
    const before = started.get(name);
    if (before !== undefined) before.add(by);
    else if (started.size < limits.unitEntries) {
      started.set(name, new Set([by]));
      queue.push(name);
    }
  };
  for (const first of defaultTargets(files, read)) reach(first, 'boot');
  // systemd-rc-local-generator(8)
  const rcLocal = ['/etc/rc.local', '/etc/rc.d/rc.local'].map((path) => files.stat(path));
  if (rcLocal.some((stat) => stat.ok && (stat.value.mode & 0o111) !== 0))
    reach('rc-local.service', 'multi-user.target');
  const hasTargets = index.directories.some(({ names }) => names.has('multi-user.target'));
  if (!hasTargets) for (const target of Object.keys(usual)) reach(target, 'boot');
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const unit = read(name);
    const { assignments = [] } = unit ?? {};
    const named = (key: string) =>
      (listSetting(assignments, 'Unit', key) as SourcedAssignment[]).flatMap(({ value }) => splitWords(value).words);
    for (const key of pulling) for (const other of named(key)) reach(expanded(other, name), name);
    for (const other of index.links.get(name) ?? []) reach(other, name);
    if (unit === undefined) for (const other of usual[name] ?? []) reach(other, name);
    for (const key of ['OnFailure', 'OnSuccess']) {
      for (const other of named(key))
        note(triggered, read, expanded(other, name), name, `${key}= of ${name} starts it`);
    }
    const kind = name.slice(name.lastIndexOf('.') + 1);
    if (Object.hasOwn(triggers, kind)) {
      const section = kind[0]!.toUpperCase() + kind.slice(1);
      const own = kind === 'socket' ? 'Service' : 'Unit';
      const target = lastSetting(assignments, section, own)?.value ?? `${name.slice(0, -kind.length)}service`;
      note(triggered, read, expanded(target, name), name, triggers[kind]!);
    }
  }
  const sorted = new Map([...started].map(([name, owners]) => [name, [...owners].sort()]));
  return { started: sorted, triggered };
}

function note(
  triggered: Map<string, { by: string; how: string }[]>,
  read: UnitReader,
  wanted: string,
  by: string,
  how: string,
): void {
  const name = read(wanted)?.name;
  if (name === undefined) return;
  const known = triggered.get(name);
  if (known === undefined) triggered.set(name, [{ by, how }]);
  else known.push({ by, how });
}

/** The specifiers that dependencies between units use. */
function expanded(other: string, name: string): string {
  if (!other.includes('%')) return other;
  const stem = name.slice(0, name.lastIndexOf('.'));
  const at = stem.indexOf('@');
  const prefix = at < 0 ? stem : stem.slice(0, at);
  const instance = at < 0 ? '' : stem.slice(at + 1);
  return other.replace(/%([ipnNj%])/g, (_, letter: string) => {
    const values: Record<string, string> = {
      i: instance,
      p: prefix,
      n: name,
      N: stem,
      j: prefix.split('-').at(-1)!,
      '%': '%',
    };
    return values[letter]!;
  });
}

/** The target of the link default.target, /etc before /usr/lib; graphical.target without one. */
function defaultTargets(files: FileView, read: UnitReader): string[] {
  for (const folder of [
    '/etc/systemd/system',
    '/run/systemd/system',
    '/usr/local/lib/systemd/system',
    '/usr/lib/systemd/system',
    '/lib/systemd/system',
  ]) {
    const link = files.resolve(`${folder}/default.target`);
    if (!link.ok) continue;
    const target = link.value.slice(link.value.lastIndexOf('/') + 1);
    return target !== 'default.target' && read(target) === undefined
      ? ['default.target', target]
      : [target === 'default.target' ? 'default.target' : target];
  }
  return ['graphical.target'];
}
