/** From the path that a call blocks on to the path that scans skip: `/proc/<pid>/mountinfo`, see proc(5). */

import { pathIdentity, type QuarantinedPath } from '../../proc/heartbeat.js';
import { mountAt } from '../../proc/mounts.js';

/** Types of mounts that depend on a server or a program: if that stops, every read on the mount blocks. */
const REMOTE =
  /^(nfs4?|cifs|smb3|smbfs|fuse|fuseblk|fuse\..+|9p|virtiofs|ceph|glusterfs|afs|lustre|gpfs|beegfs|gfs2|ocfs2|ncpfs|coda|orangefs|autofs)$/;

/** Directories that every scan needs: if they block on a disk of this machine, skipping them helps nobody. */
const SHARED =
  /^\/(?:(?:etc|usr|run|var|bin|sbin|lib\d*|opt|srv|home|root|tmp|mnt|media|proc|sys|dev)(?:\/(?:systemd|system|lib|share|local|bin|sbin))*)?$/;

export interface Blocked {
  /** The directory that is `/` for `inner`. */
  root: string;
  inner: string;
  /** The process whose mounts apply: a pid, or `self`. Undefined: the path is in procfs. */
  mountsOf?: string;
}

/** `path`: absolute, as it was read. A path below `<procfs>/<pid>/root` is one inside the root of that process. */
export function blockedAt(path: string, { procfs, rootfs }: { procfs: string; rootfs: string }): Blocked {
  if (path.startsWith(`${procfs}/`)) {
    const [, pid, inner] = /^\/(\d+)\/root(\/.*)$/.exec(path.slice(procfs.length)) ?? [];
    if (pid === undefined) return { root: '/', inner: path };
    return { root: `${procfs}/${pid}/root`, inner: inner!, mountsOf: pid };
  }
  if (rootfs !== '/' && path.startsWith(`${rootfs}/`))
    return { root: rootfs, inner: path.slice(rootfs.length), mountsOf: 'self' };
  return { root: '/', inner: path, mountsOf: 'self' };
}

/**
 * On a remote mount the whole mount; elsewhere only the path, since nothing works anyway if a whole local disk blocks. Undefined:
 * no scan can do without the path.
 */
export function widened({ root, inner, mountsOf }: Blocked, mountinfo: string): QuarantinedPath | undefined {
  if (mountsOf === undefined) return { space: pathIdentity(root, inner).space, path: inner };
  // The exporter's own mountinfo has the host's paths with the prefix under which they are mounted.
  const seen = mountsOf === 'self' && root !== '/' ? `${root}${inner}` : inner;
  const best = mountAt(mountinfo, seen);
  const within = mountsOf === 'self' ? '/' : root;
  if (best !== undefined && REMOTE.test(best.type)) return pathIdentity(within, best.point);
  const path = pathIdentity(within, seen);
  return path.space === pathIdentity('/', '').space && SHARED.test(path.path) ? undefined : path;
}
