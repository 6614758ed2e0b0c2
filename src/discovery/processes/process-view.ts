/** The network namespace and the root directory of a process, from `/proc/<pid>/ns` and `/proc/<pid>/root`. */
import type { Gap, Reading } from '../../model/model.js';
import type { Membership } from '../../proc/cgroup.js';
import { netnsLink, type ProcFs } from '../../proc/proc-fs.js';
import { parseNamespaceLink } from '../../proc/process-files.js';

/** A number that is unique to the network namespace of a process: its inode, or without privilege that of a file in it. */
export function readNetns(procfs: ProcFs, pid: number): Reading<number> {
  const link = procfs.link(`${pid}/ns/net`);
  if (link.ok) {
    const netns = parseNamespaceLink(link.value, 'net');
    if (netns !== undefined) return { ok: true, value: netns };
    return { ok: false, gap: { reason: 'malformed', subject: `/proc/${pid}/ns/net` } };
  }
  // Without privilege the link is denied and `net/` is not. The inodes there differ between namespaces, and the kernel takes
  // them from the same numbers as the inodes of namespaces (proc_alloc_inum in fs/proc/generic.c), so they are unique.
  const table = procfs.real ? procfs.stat(`${pid}/net/udp`) : undefined;
  if (!table?.ok) return link;
  const own = procfs.stat('self/net/udp');
  const isOwn = own.ok && own.value.ino === table.value.ino;
  return { ok: true, value: (isOwn ? netnsLink(procfs, 'self') : undefined) ?? table.value.ino };
}

/** `hostRoot`: `device:inode` of `rootfs`. For the result see `RunningFilebeat`; `gap`: why the root cannot be read. */
export function readRoot(
  procfs: ProcFs,
  { rootfs, hostRoot }: { rootfs: string; hostRoot: string | undefined },
  pid: number,
  { container, nest, user }: Membership,
): { rootDir: string; rootId: string; view?: string; gap?: Gap } {
  const rootDir = `${procfs.root}/${pid}/root`;
  // A user may give his containers any name, also that of another container: the uid keeps them apart.
  const scope = user === undefined ? '' : `user ${user} `;
  const inner = container === undefined ? undefined : `${scope}${nest ?? container}`;
  const root = procfs.stat(`${pid}/root/.`);
  if (root.ok) {
    const { dev, ino } = root.value;
    const mounts = procfs.link(`${pid}/ns/mnt`);
    const rootId = `${dev}:${ino}` === hostRoot ? '/' : (inner ?? `${dev}:${ino}`);
    return { rootDir, rootId, ...(mounts.ok ? { view: `${mounts.value} ${dev}:${ino}` } : {}) };
  }
  const gap: Gap = { ...root.gap, subject: `/proc/${pid}/root` };
  if (inner !== undefined) return { rootDir, rootId: inner, gap };
  // By its control group it is in no container, so it is assumed to see the host's files.
  return { rootDir: rootfs, rootId: '/', ...(gap.reason === 'denied' && { gap }) };
}
