/** Which directory is somebody's `/`: device and inode, as seen at `/proc/<pid>/root/.`; paths mean nothing across roots. */
import { statSync } from 'node:fs';

/** `device:inode`; undefined when the directory is not there. */
export function identify(directory: string): string | undefined {
  try {
    const { dev, ino } = statSync(directory);
    return `${dev}:${ino}`;
  } catch {
    return undefined; // Nobody can have it as root, or it may not be looked at.
  }
}
