/**
 * The exporter's own control group on the host (cgroups(7), version 2). In a cgroup namespace of its own, paths are relative to
 * it: if the exporter is in `/system.slice/docker-4a7d….scope`, the host's `/system.slice/filebeat.service` is
 * `/../filebeat.service`.
 */

import { openFileView } from './files/root-files.js';
import type { ProcFs } from './proc-fs.js';

/** Stands for an unknown part of the path. No group can have this name. */
export const UNKNOWN_PART = '?';

/** Groups that are compared with the exporter's own. */
const mostGroups = 20_000;

/** Deeper than any group, for an unknown distance from the host's root. */
const unknownPath = `/${UNKNOWN_PART}`.repeat(64);

/** Empty: paths are already the host's. Unknown parts are `UNKNOWN_PART`. */
export function readOwnCgroup(procfs: ProcFs, rootfs: string): string {
  const text = procfs.piece('1/cgroup');
  const path = text.ok ? /^0::(\/.*)$/m.exec(text.value)?.[1] : undefined;
  if (path === undefined || !path.startsWith('/../')) return '';
  // On hosts with systemd process 1 is in `init.scope`.
  const depth = /^((?:\/\.\.)+)\/init\.scope$/.exec(path)?.[1]?.split('/..').length;
  if (depth === undefined || !procfs.real) return unknownPath;
  return findOwn(rootfs, depth - 1) ?? `/${UNKNOWN_PART}`.repeat(depth - 1);
}

/**
 * The exporter's own mount of the hierarchy begins at its group; the host's mount has that group under its name, with the same
 * inode.
 */
function findOwn(rootfs: string, depth: number): string | undefined {
  const own = openFileView('/').stat('/sys/fs/cgroup');
  if (!own.ok || own.value.id === undefined) return undefined;
  const host = openFileView(rootfs);
  const base = '/sys/fs/cgroup';
  let level = [''];
  let left = mostGroups;
  for (let at = 0; at < depth; at++) {
    const below = level.flatMap((path) => {
      const names = left > 0 ? host.list(`${base}${path}`, left) : undefined;
      if (!names?.ok) return [];
      // The files of a group begin with a controller's name and a dot (`cgroup.procs`); services and scopes have dots too.
      const groups = names.value.filter(
        (name) => !/^(?:cgroup|cpu|cpuset|io|memory|pids|hugetlb|rdma|misc|irq)\./.test(name),
      );
      left -= groups.length;
      return groups.map((name) => `${path}/${name}`);
    });
    level = below;
  }
  return level.find((path) => {
    const stat = host.stat(`${base}${path}`);
    return stat.ok && stat.value.id === own.value.id;
  });
}
