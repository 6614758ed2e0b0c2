/**
 * The exporter's own control group on the host (cgroups(7), version 2). In a cgroup namespace of its own the kernel tells
 * paths relative to it: `/../filebeat.service` is what the host calls `/system.slice/filebeat.service`, where the exporter
 * is in `/system.slice/docker-4a7d….scope`.
 */
import type { ProcFs } from './proc-fs.js';
import { openFileView } from './root-files.js';

/** A part of the path that is not known. It is no name of a group. */
export const UNKNOWN_PART = '?';

/** Groups that are looked at for our own. */
const most = 20_000;

/** Deeper than any group: how far ours is from the host's root is not known. */
const somewhere = `/${UNKNOWN_PART}`.repeat(64);

/** `''`: paths are the host's as they stand. Parts that are not known are `UNKNOWN_PART`. */
export function readOwnCgroup(procfs: ProcFs, rootfs: string): string {
  const text = procfs.piece('1/cgroup');
  const path = text.ok ? /^0::(\/.*)$/m.exec(text.value)?.[1] : undefined;
  if (path === undefined || !path.startsWith('/../')) return '';
  // systemd keeps process 1 of the host there.
  const depth = /^((?:\/\.\.)+)\/init\.scope$/.exec(path)?.[1]?.split('/..').length;
  if (depth === undefined || !procfs.real) return somewhere;
  return findOwn(rootfs, depth - 1) ?? `/${UNKNOWN_PART}`.repeat(depth - 1);
}

/** Our own mount of the hierarchy begins at our own group; the host's has it under its name. The kernel numbers groups. */
function findOwn(rootfs: string, depth: number): string | undefined {
  const own = openFileView('/').stat('/sys/fs/cgroup');
  if (!own.ok || own.value.id === undefined) return undefined;
  const host = openFileView(rootfs);
  const place = '/sys/fs/cgroup';
  let level = [''];
  let left = most;
  for (let at = 0; at < depth; at++) {
    const below = level.flatMap((path) => {
      const names = left > 0 ? host.list(`${place}${path}`, left) : undefined;
      if (!names?.ok) return [];
      // Files of a group have a dot behind the controller's name, `cgroup.procs`; so have services and scopes.
      const groups = names.value.filter(
        (name) => !/^(?:cgroup|cpu|cpuset|io|memory|pids|hugetlb|rdma|misc|irq)\./.test(name),
      );
      left -= groups.length;
      return groups.map((name) => `${path}/${name}`);
    });
    level = below;
  }
  return level.find((path) => {
    const stat = host.stat(`${place}${path}`);
    return stat.ok && stat.value.id === own.value.id;
  });
}
