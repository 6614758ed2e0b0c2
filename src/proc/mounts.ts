/** Parser of `/proc/<pid>/mountinfo`; see proc(5). */

export interface Mount {
  /** `major:minor`. */
  device: string;
  /** The mounted part of the file system. */
  root: string;
  point: string;
  type: string;
}

/** `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`; blanks in paths are `\040`. */
export function parseMount(line: string): Mount | undefined {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [device, root, point, type] = [fields[2], fields[3], fields[4], fields[dash + 1]];
  if (dash < 0 || device === undefined || root === undefined || point === undefined || type === undefined)
    return undefined;
  return { device, root: decode(root), point: decode(point), type };
}

function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => parseMount(line) ?? []);
}

/** The mount of a path; of several at one mount point the last one. */
export function mountAt(mountinfo: string, path: string): Mount | undefined {
  return covering(parseMounts(mountinfo), path);
}

function covering(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const { point } = mount;
    const covers = point === '/' || path === point || path.startsWith(`${point}/`);
    if (covers && (best === undefined || point.length >= best.point.length)) best = mount;
  }
  return best;
}

/** Mount points below which no configuration is. */
const WITHOUT_CONFIG = /^\/(?:proc|sys|dev)(?:\/|$)/;

/** The topmost mount points at which `own` differs from `host`. */
export function differingMounts(own: string, host: string): string[] {
  const [ownMounts, hostMounts] = [parseMounts(own), parseMounts(host)];
  const tail = (path: string, point: string) => (point === '/' ? path : path.slice(point.length));
  const isSame = ({ device, root, point }: Mount) => {
    const other = covering(hostMounts, point);
    const shown = other && `${other.root === '/' ? '' : other.root}${tail(point, other.point)}`;
    return other?.device === device && (shown || '/') === root;
  };
  const points = [...new Set(ownMounts.map(({ point }) => point))].filter((point) => !WITHOUT_CONFIG.test(point));
  const differing = points.filter((point) => !isSame(covering(ownMounts, point)!)).sort();
  return differing.filter((point) => !differing.some((above) => above !== point && point.startsWith(`${above}/`)));
}
