/** From the call that a thread is stuck in to what is to be left alone: `/proc/<pid>/mountinfo`, see proc(5). */

import { pathIdentity, type QuarantinedPath } from '../../proc/heartbeat.js';
import { mountAt } from '../../proc/mounts.js';

/** Mounts whose server, or program, may stop answering: then everything on them does. */
const REMOTE =
  /^(nfs4?|cifs|smb3|smbfs|fuse|fuseblk|fuse\..+|9p|virtiofs|ceph|glusterfs|afs|lustre|gpfs|beegfs|gfs2|ocfs2|ncpfs|coda|orangefs|autofs)$/;

/** Folders of the host that every look needs: who cannot read them on a disk of this machine cannot look at all. */
const SHARED =
  /^\/(?:(?:etc|usr|run|var|bin|sbin|lib\d*|opt|srv|home|root|tmp|mnt|media|proc|sys|dev)(?:\/(?:systemd|system|lib|share|local|bin|sbin))*)?$/;

export interface Blocked {
  /** The directory that is `/` for whoever sees `inner`. */
  root: string;
  inner: string;
  /** Whose mounts are to be asked: a pid, or `self`. Undefined: it lies in procfs. */
  mountsOf?: string;
}

/** `path`: absolute, as it was read. A path below `<procfs>/<pid>/root` is one inside of that process's root. */
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
 * On a remote mount all of it; elsewhere that path alone, since a disk that hangs as a whole takes everybody with it.
 * Undefined: it is nothing that a look can do without.
 */
export function widened({ root, inner, mountsOf }: Blocked, mountinfo: string): QuarantinedPath | undefined {
  if (mountsOf === undefined) return { space: pathIdentity(root, inner).space, path: inner };
  // Our own mounts are told with the prefix under which we see the host's.
  const seen = mountsOf === 'self' && root !== '/' ? `${root}${inner}` : inner;
  const best = mountAt(mountinfo, seen);
  const within = mountsOf === 'self' ? '/' : root;
  if (best !== undefined && REMOTE.test(best.type)) return pathIdentity(within, best.point);
  const place = pathIdentity(within, seen);
  return place.space === pathIdentity('/', '').space && SHARED.test(place.path) ? undefined : place;
}
