/** Whether the user of a service may read its configuration, by owner, groups and modes (path_resolution(7)). */
import { posix } from 'node:path';
import type { FileStat, FileView } from '../../filebeat/files/file-view.js';
import { READ, SEARCH } from '../../proc/permissions.js';

/** The user of a service that has no capability to read other files. */
export interface ServiceUser {
  /** As the unit names it. */
  name: string;
  uid: number;
  groups: readonly number[];
}

/** A clause for people for each main file that the user may not read. */
export function unreadableFor(user: ServiceUser, files: FileView, mainFiles: readonly string[]): string[] {
  return mainFiles.flatMap((path) => {
    const real = files.resolve(path);
    if (!real.ok) return [];
    const folders = real.value.split('/').slice(1, -1);
    const parents = folders.map((_, at) => `/${folders.slice(0, at + 1).join('/')}`);
    const denied =
      parents.map((folder) => denial(user, files, folder, SEARCH)).find((clause) => clause !== undefined) ??
      denial(user, files, real.value, READ);
    return denied ?? [];
  });
}

function denial({ name, uid, groups }: ServiceUser, files: FileView, path: string, bit: number): string | undefined {
  const stat = files.stat(path);
  if (!stat.ok) return undefined;
  const answer = isAllowed(stat.value, uid, groups, bit);
  if (answer === true) return undefined;
  const { mode, uid: owner, gid } = stat.value;
  const what = bit === READ ? 'read' : 'enter';
  const facts = `owner ${owner}:${gid ?? '?'}, mode 0${(mode & 0o777).toString(8).padStart(3, '0')}`;
  const hedge = answer === undefined ? ', unless an access control list lets it' : '';
  return `its user ${name} may not ${what} ${posix.normalize(path)} (${facts}${hedge})`;
}

/** Undefined: an access control list may allow it. The mode does not tell: its group bits are then the mask (acl(5)). */
function isAllowed(
  { mode, uid: owner, gid }: FileStat,
  uid: number,
  groups: readonly number[],
  bit: number,
): boolean | undefined {
  if (uid === owner) return (mode & (bit << 6)) !== 0;
  const ofGroup = (mode & (bit << 3)) !== 0;
  if (gid === undefined) return ofGroup || (mode & bit) !== 0;
  if (groups.includes(gid)) return ofGroup;
  if ((mode & bit) !== 0) return true;
  return ofGroup ? undefined : false;
}
