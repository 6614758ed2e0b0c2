/** Which directory is somebody's `/`: device and inode, as seen at `/proc/<pid>/root/.`; paths mean nothing across roots. */
import { statSync } from 'node:fs';
import { during, leftAlone } from './place.js';

/** `device:inode` of `<rootfs><inner>`; undefined when the directory is not there. */
export function identify(rootfs: string, inner = ''): string | undefined {
  if (leftAlone(rootfs, inner) !== undefined) return undefined;
  const directory = `${rootfs}${inner}`;
  try {
    const { dev, ino } = during(directory, () => statSync(directory));
    return `${dev}:${ino}`;
  } catch {
    return undefined; // Nobody can have it as root, or it may not be looked at.
  }
}
