/** Whom a process runs as and what it can do, from `/proc/<pid>`: see `Standing`. */
import { basename, posix } from 'node:path';
import type { ProcessIdentity } from '../../model/model.js';
import type { Membership } from '../../proc/cgroup.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { type ProcessStatus, parseIdMap } from '../../proc/process-files.js';
import { openFileView } from '../../proc/root-files.js';
import { isFilebeatProgram } from '../launch/programs.js';
import { containerNameOf } from './container-name.js';

export interface Seen {
  pid: number;
  /** Effective; told by the owner of `/proc/<pid>` where its status cannot be read. */
  uid: number;
  status: ProcessStatus;
  membership: Membership;
  argv: readonly string[];
  env: Readonly<Record<string, string>> | undefined;
  cwd: string | undefined;
  /** Target of `exe`. */
  program: { path: string; deleted: boolean } | undefined;
  /** The directory that is `/` for it. */
  rootDir: string;
}

/** uid 65534: what a user namespace shows for one that it has no number for. */
const OVERFLOW = 65_534;
/** From here on distributions give out ranges to users (`/etc/subuid`). */
const FIRST_SUBORDINATE = 65_536;

export function readIdentity(procfs: ProcFs, rootfs: string, names: readonly string[], seen: Seen): ProcessIdentity {
  const { pid, uid, status, membership } = seen;
  const map = procfs.piece(`${pid}/uid_map`);
  const ids = map.ok ? parseIdMap(map.value) : undefined;
  const isInitial =
    ids === undefined || ids.some(({ inside, outside, count }) => inside === outside && count > 2 ** 31);
  const uids = status.uids ?? [uid, uid, uid];
  const { unit, user, container, servesUsers } = membership;
  const isSystems = user === undefined && (container !== undefined || (unit !== undefined && !servesUsers));
  const isProgram = isItsProgram(procfs, names, seen);
  const mounts = procfs.link(`${pid}/ns/mnt`);
  const hosts = procfs.link('1/ns/mnt');
  const containerName = containerNameOf(procfs, rootfs, pid, membership);
  return {
    uids,
    innerUid: isInitial ? uid : innerOf(ids, uid),
    groups: status.groups,
    readsAll: isInitial && status.readsAll === true,
    ...(!isInitial && status.readsAll === true && { opens: { uids: ids, gids: gidsOf(procfs, pid) } }),
    account: isSystems || uids.every((one) => one === 0) ? 0 : accountOf(rootfs, uids, membership.user),
    ...(membership.unit !== undefined && membership.container === undefined && { unit: membership.unit }),
    ...(servesUsers && { unitServesUsers: true as const }),
    ...(membership.userUnit !== undefined && { userUnit: membership.userUnit }),
    ...(containerName !== undefined && { containerName }),
    ...(isProgram !== undefined && { isProgram }),
    ...(mounts.ok && hosts.ok && { hostMounts: mounts.value === hosts.value }),
  };
}

function gidsOf(procfs: ProcFs, pid: number) {
  const map = procfs.piece(`${pid}/gid_map`);
  return map.ok ? parseIdMap(map.value) : [];
}

function innerOf(ids: ReturnType<typeof parseIdMap>, uid: number): number {
  const row = ids.find(({ outside, count }) => uid >= outside && uid < outside + count);
  return row === undefined ? OVERFLOW : row.inside + uid - row.outside;
}

/** What a user starts in a slice or with a subordinate uid of his counts as his. */
function accountOf(rootfs: string, uids: readonly number[], slice: number | undefined): number {
  if (slice !== undefined && slice !== 0) return slice;
  const own = uids.find((one) => one !== 0) ?? 0;
  return own < FIRST_SUBORDINATE ? own : (holderOfRange(rootfs, own) ?? own);
}

/** `alice:100000:65536` or `1000:100000:65536`; subuid(5). */
function holderOfRange(rootfs: string, uid: number): number | undefined {
  const files = openFileView(rootfs);
  const rows = (path: string) => {
    const file = files.read(path, 4 * 1024 * 1024);
    return file.ok
      ? Buffer.from(file.value.bytes)
          .toString('utf8')
          .split('\n')
          .map((line) => line.split(':'))
      : [];
  };
  const range = rows('/etc/subuid').find(
    ([, first, count]) => uid >= Number(first) && uid < Number(first) + Number(count),
  );
  const name = range?.[0];
  if (name === undefined) return undefined;
  if (/^\d+$/.test(name)) return Number(name);
  const user = rows('/etc/passwd').find((row) => row[0] === name)?.[2];
  return user !== undefined && /^\d+$/.test(user) ? Number(user) : undefined;
}

/** What packages leave of a file that they replace: `filebeat;65a1b2c3` (rpm), `filebeat.dpkg-tmp`. */
const REPLACED = /;[0-9a-f]{8}$|\.dpkg-(?:tmp|new|old)$|\.rpm(?:new|save|orig)$/;
/** They run the program that is one of their arguments. */
const LOADER = /^(?:ld(?:-.*)?\.so(?:\..*)?|ld-linux.*|ld-musl.*|qemu-.*|rosetta|FEXInterpreter|box64)$/;
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Anybody may call himself what he likes in `argv[0]`; `exe` is the kernel's word. */
function isItsProgram(procfs: ProcFs, names: readonly string[], seen: Seen): boolean | undefined {
  const { pid, argv, program } = seen;
  if (program === undefined) return undefined;
  const path = program.path.replace(REPLACED, '');
  const base = basename(path);
  if (isFilebeatProgram(path, argv[1], names)) return true;
  if (LOADER.test(base) && argv.slice(0, 4).some((word, at) => isFilebeatProgram(word, argv[at + 1], names)))
    return true;
  const exe = procfs.stat(`${pid}/exe`);
  if (!exe.ok) return undefined;
  const files = openFileView(seen.rootDir);
  const found = placesOf(seen).flatMap((place) => {
    const stat = files.stat(place);
    return stat.ok && stat.value.id !== undefined ? [stat.value.id] : [];
  });
  if (found.includes(`${exe.value.dev}:${exe.value.ino}`)) return true;
  // What a link led to when it started may be gone since: an upgrade. And where it was looked for may be hidden from us.
  const isSearched = !argv[0]?.includes('/') && seen.env === undefined;
  return program.deleted || isSearched ? undefined : false;
}

/** Where the program of `argv[0]` would be. */
function placesOf({ argv, env, cwd }: Seen): string[] {
  const word = argv[0] ?? '';
  if (word.includes('/')) return [posix.resolve(cwd ?? '/', word)];
  return (env?.['PATH'] ?? DEFAULT_PATH)
    .split(':')
    .slice(0, 64)
    .map((folder) => posix.resolve(cwd ?? '/', folder, word));
}
