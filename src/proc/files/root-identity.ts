/** The identity of a root directory: device and inode of `/proc/<pid>/root/.`, since paths are not comparable across roots. */
import { statSync } from 'node:fs';
import { during, quarantineGap } from '../heartbeat.js';

/** `device:inode` of `<rootfs><inner>`; undefined where the directory is missing or unreadable. */
export function identify(rootfs: string, inner = ''): string | undefined {
  if (quarantineGap(rootfs, inner) !== undefined) return undefined;
  const directory = `${rootfs}${inner}`;
  try {
    const { dev, ino } = during(directory, () => statSync(directory));
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
