/** Users and groups of /etc/passwd and /etc/group (passwd(5), group(5)). */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import type { StartUser } from '../../model/model.js';

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

/** `missing`: there is no such user. `unknown`: the file cannot be read, or names also come from elsewhere (nsswitch.conf(5)). */
export function lookUpUser(files: FileView, user: string): Account | 'missing' | 'unknown' {
  for (const line of linesOf(files, '/etc/passwd') ?? []) {
    const [name, , uid, gid, , home, shell] = line.split(':');
    if (shell === undefined || (name !== user && uid !== user)) continue;
    return { name: name!, uid: Number(uid), gid: Number(gid), home: home || '/', shell: shell || '/bin/sh' };
  }
  return namesElsewhere(files, 'passwd') ? 'unknown' : 'missing';
}

export function lookUpGroup(files: FileView, group: string): number | 'missing' | 'unknown' {
  for (const line of linesOf(files, '/etc/group') ?? []) {
    const [name, , gid] = line.split(':');
    if (gid !== undefined && (name === group || gid === group)) return Number(gid);
  }
  return namesElsewhere(files, 'group') ? 'unknown' : 'missing';
}

/** The groups of which /etc/group says that it is a member; undefined where others come from elsewhere. */
export function groupsOf(files: FileView, name: string): number[] | undefined {
  if (namesElsewhere(files, 'group')) return undefined;
  return (linesOf(files, '/etc/group') ?? []).flatMap((line) => {
    const [, , gid, members] = line.split(':');
    return members?.split(',').includes(name) ? [Number(gid)] : [];
  });
}

function linesOf(files: FileView, path: string): string[] | undefined {
  const content = files.read(path, limits.configBytes);
  return content.ok ? new TextDecoder().decode(content.value.bytes).split('\n') : undefined;
}

function namesElsewhere(files: FileView, database: 'passwd' | 'group'): boolean {
  if (linesOf(files, `/etc/${database}`) === undefined) return true;
  const sources = linesOf(files, '/etc/nsswitch.conf')?.find((line) => line.startsWith(`${database}:`));
  const words =
    sources
      ?.slice(database.length + 1)
      .trim()
      .split(/\s+/) ?? [];
  // `systemd` knows root, nobody and the users of DynamicUser=.
  return words.some((word) => !/^(?:files|compat|systemd|\[.*\])$/.test(word));
}

export const noSuchUser = 'there is no such user';

export const rootUser: StartUser = { name: 'root', uid: 0, gid: 0 };

/** The user of `USER`, `USER:GROUP` or `:GROUP`, as names or numbers. */
export function userOf(files: FileView, spec: string, before: StartUser): StartUser {
  const [user = '', group] = spec.split(':');
  let found: StartUser = { ...before };
  if (user !== '') {
    const plain = user.replace(/^#/, '');
    const account = lookUpUser(files, plain);
    if (typeof account !== 'string') found = { name: account.name, uid: account.uid, gid: account.gid };
    else if (/^\d+$/.test(plain)) found = { uid: Number(plain) };
    else found = { name: plain, why: account === 'missing' ? noSuchUser : 'its user is not in /etc/passwd' };
  }
  if (group !== undefined && group !== '') {
    const gid = /^\d+$/.test(group) ? Number(group) : lookUpGroup(files, group);
    if (typeof gid === 'number') found.gid = gid;
    else delete found.gid;
  }
  return found;
}
