/**
 * What a boot would start: `.wants`, `.requires` and `.upholds` links, and what targets name in their own files
 * (systemd.unit(5) `Wants=`, `[Install]`).
 */
import type { FileView } from '../../filebeat/files/file-view.js';
import { listSetting } from './unit-file.js';
import type { UnitIndex } from './unit-search.js';
import { readAssignments } from './unit-service.js';
import { splitWords } from './unit-words.js';

/** Unit name → the units that pull it in, sorted. */
export function wantedNames(files: FileView, index: UnitIndex): Map<string, string[]> {
  const wants = new Map([...index.wantedBy].map(([name, owners]) => [name, [...owners]]));
  const targets = new Set(index.directories.flatMap((d) => [...d.names].filter((name) => name.endsWith('.target'))));
  for (const target of targets) {
    const home = index.directories.find((directory) => directory.names.has(target))!;
    const dropIns = index.directories
      .filter((d) => d.names.has(`${target}.d`))
      .flatMap((d) => {
        const list = files.list(`${d.path}/${target}.d`, 1000);
        return list.ok
          ? list.value.filter((file) => file.endsWith('.conf')).map((file) => `${d.path}/${target}.d/${file}`)
          : [];
      });
    const { assignments } = readAssignments(files, [`${home.path}/${target}`, ...dropIns]);
    for (const key of ['Wants', 'Requires', 'Upholds', 'BindsTo']) {
      for (const assignment of listSetting(assignments, 'Unit', key)) {
        for (const name of splitWords(assignment.value).words) {
          const owners = wants.get(name) ?? [];
          if (!owners.includes(target)) wants.set(name, [...owners, target].sort());
        }
      }
    }
  }
  return wants;
}

/** Targets that every boot passes, whatever the default target. */
const bootTargets =
  /^(?:default|multi-user|graphical|runlevel[2-5]|basic|sysinit|network|network-(?:online|pre)|local-fs|remote-fs|nss-lookup|time-sync|timers|sockets|paths|getty|machines)\.target$/;

/** A unit of the site's own (`filebeats.target`) counts when it is itself wanted by one that counts. */
export function standsAtBoot(
  owner: string,
  files: FileView,
  wants: ReadonlyMap<string, readonly string[]>,
  depth = 0,
): boolean {
  if (bootTargets.test(owner)) return true;
  const standard = files.resolve('/etc/systemd/system/default.target');
  if (standard.ok && standard.value.endsWith(`/${owner}`)) return true;
  return depth < 8 && (wants.get(owner) ?? []).some((next) => standsAtBoot(next, files, wants, depth + 1));
}
