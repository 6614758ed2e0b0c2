/** From the call that a thread is stuck in to what is to be left alone: `/proc/<pid>/mountinfo`, see proc(5). */
import { type Place, placeOf } from '../../proc/place.js';

/** Mounts whose server, or program, may stop answering: then everything on them does. */
const REMOTE =
  /^(nfs4?|cifs|smb3|smbfs|fuse|fuseblk|fuse\..+|9p|virtiofs|ceph|glusterfs|afs|lustre|gpfs|beegfs|gfs2|ocfs2|ncpfs|coda|orangefs|autofs)$/;

/** Folders that every look needs: on a disk of this machine, who cannot read them cannot look at all. */
const SHARED = /^\/[^/]*$/;

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; blanks in paths are `\040`. */
function mountOf(line: string): { point: string; type: string } | undefined {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [point, type] = [fields[4], fields[dash + 1]];
  if (dash < 0 || point === undefined || type === undefined) return undefined;
  return { point: point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), type };
}

export interface Stuck {
  /** The directory that is `/` for whoever sees `inner`. */
  root: string;
  inner: string;
  /** Whose mounts are to be asked: a pid, or `self`. Undefined: it lies in procfs. */
  mountsOf?: string;
}

/** `path`: absolute, as it was read. A path below `<procfs>/<pid>/root` is one inside of that process's root. */
export function stuckAt(path: string, { procfs, rootfs }: { procfs: string; rootfs: string }): Stuck {
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
export function widened({ root, inner, mountsOf }: Stuck, mountinfo: string): Place | undefined {
  if (mountsOf === undefined) return { space: placeOf(root, inner).space, path: inner };
  // Our own mounts are told with the prefix under which we see the host's.
  const seen = mountsOf === 'self' && root !== '/' ? `${root}${inner}` : inner;
  let best: { point: string; type: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const mount = mountOf(line);
    const covers = mount && (seen === mount.point || seen.startsWith(`${mount.point}/`));
    // Of mounts on top of each other the last one counts.
    if (covers && (best === undefined || mount.point.length >= best.point.length)) best = mount;
  }
  const within = mountsOf === 'self' ? '/' : root;
  if (best !== undefined && REMOTE.test(best.type)) return placeOf(within, best.point);
  return SHARED.test(inner) ? undefined : placeOf(within, seen);
}
