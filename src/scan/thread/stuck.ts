/** From the path at which a thread got stuck to what is to be left alone: `/proc/<pid>/mountinfo`, see proc(5). Pure. */

/** Mounts whose server, or program, may stop answering: then everything on them does. */
const REMOTE =
  /^(nfs4?|cifs|smb3|smbfs|fuse|fuseblk|fuse\..+|9p|virtiofs|ceph|glusterfs|afs|lustre|gpfs|beegfs|gfs2|ocfs2|ncpfs|coda|orangefs|autofs)$/;

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; blanks in paths are `\040`. */
function mountOf(line: string): { point: string; type: string } | undefined {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [point, type] = [fields[4], fields[dash + 1]];
  if (dash < 0 || point === undefined || type === undefined) return undefined;
  return { point: point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))), type };
}

export interface Stuck {
  /** For messages. */
  path: string;
  /** What to leave alone, as `place.ts` takes it. */
  avoid: string;
  /** Whose mounts are to be asked: a pid, or `self`. */
  mountsOf: string;
}

/** `path`: absolute, as it was read. A path below `<procfs>/<pid>/root` is one inside of that process's root. */
export function stuckAt(path: string, { procfs, rootfs }: { procfs: string; rootfs: string }): Stuck {
  const inRoot = path.startsWith(`${procfs}/`) ? /^\/(\d+)\/root(\/.*)$/.exec(path.slice(procfs.length)) : null;
  if (inRoot) return { path, avoid: inRoot[2]!, mountsOf: inRoot[1]! };
  if (path.startsWith(`${procfs}/`) || rootfs === '/') return { path, avoid: path, mountsOf: 'self' };
  const inner = path.startsWith(`${rootfs}/`) ? path.slice(rootfs.length) : path;
  return { path, avoid: inner, mountsOf: 'self' };
}

/** On a remote mount all of it; elsewhere the path alone, since a disk that hangs as a whole takes everybody with it. */
export function widened(stuck: Stuck, mountinfo: string): string {
  let best: { point: string; type: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    const mount = mountOf(line);
    const covers = mount && (stuck.avoid === mount.point || stuck.avoid.startsWith(`${mount.point}/`));
    // Of mounts on top of each other the last one counts.
    if (covers && (best === undefined || mount.point.length >= best.point.length)) best = mount;
  }
  return best !== undefined && REMOTE.test(best.type) ? best.point : stuck.avoid;
}
