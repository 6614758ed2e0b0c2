/** The user of a process and what that user may do, from `/proc/<pid>`. */
import { basename, posix } from 'node:path';
import type { ProcessIdentity } from '../../model/model.js';
import type { Membership } from '../../proc/cgroup.js';
import { openFileView } from '../../proc/files/root-files.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { type ProcessStatus, parseIdMap } from '../../proc/process-files.js';
import { isFilebeatProgram, systemPath } from '../launch/programs.js';
import { containerNameOf } from './container-name.js';

/** What is already known of the process. */
export interface KnownFacts {
  pid: number;
  /** Effective; the owner of `/proc/<pid>` where `status` cannot be read. */
  uid: number;
  status: ProcessStatus;
  membership: Membership;
  argv: readonly string[];
  env: Readonly<Record<string, string>> | undefined;
  cwd: string | undefined;
  /** Target of `exe`. */
  program: { path: string; deleted: boolean } | undefined;
  /** Path of the directory that is `/` for it. */
  rootDir: string;
}

/** The uid that a user namespace shows for users whom it does not map. */
const OVERFLOW = 65_534;
/** First uid of the ranges that distributions assign to users (`/etc/subuid`). */
const FIRST_SUBORDINATE = 65_536;

/** `names`: further names of the program, see `isFilebeatProgram`. */
export function readIdentity(
  procfs: ProcFs,
  rootfs: string,
  names: readonly string[],
  known: KnownFacts,
): ProcessIdentity {
  const { pid, uid, status, membership } = known;
  const map = procfs.piece(`${pid}/uid_map`);
  const ids = map.ok ? parseIdMap(map.value) : undefined;
  const isInitial =
    ids === undefined || ids.some(({ inside, outside, count }) => inside === outside && count > 2 ** 31);
  const uids = status.uids ?? [uid, uid, uid];
  const { unit, user, container, servesUsers } = membership;
  const isSystems = user === undefined && (container !== undefined || (unit !== undefined && !servesUsers));
  const isProgram = matchesExecutable(procfs, names, known);
  const mounts = procfs.link(`${pid}/ns/mnt`);
  const hostMounts = procfs.link('1/ns/mnt');
  const containerName = containerNameOf(procfs, rootfs, pid, membership);
  return {
    uids,
    innerUid: isInitial ? uid : innerUidOf(ids, uid),
    groups: status.groups,
    readsAll: isInitial && status.readsAll === true,
    ...(!isInitial && status.readsAll === true && { opens: { uids: ids, gids: gidsOf(procfs, pid) } }),
    account: isSystems || uids.every((one) => one === 0) ? 0 : accountOf(rootfs, uids, user),
    ...(unit !== undefined && container === undefined && { unit }),
    ...(servesUsers && { unitServesUsers: true as const }),
    ...(membership.userUnit !== undefined && { userUnit: membership.userUnit }),
    ...(containerName !== undefined && { containerName }),
    ...(isProgram !== undefined && { isProgram }),
    ...(mounts.ok && hostMounts.ok && { hostMounts: mounts.value === hostMounts.value }),
  };
}

function gidsOf(procfs: ProcFs, pid: number) {
  const map = procfs.piece(`${pid}/gid_map`);
  return map.ok ? parseIdMap(map.value) : [];
}

function innerUidOf(ids: ReturnType<typeof parseIdMap>, uid: number): number {
  const row = ids.find(({ outside, count }) => uid >= outside && uid < outside + count);
  return row === undefined ? OVERFLOW : row.inside + uid - row.outside;
}

/** A process in a user's slice, or with a subordinate uid of a user, belongs to that user. */
function accountOf(rootfs: string, uids: readonly number[], slice: number | undefined): number {
  if (slice !== undefined && slice !== 0) return slice;
  const uid = uids.find((one) => one !== 0) ?? 0;
  return uid < FIRST_SUBORDINATE ? uid : (ownerOfRange(rootfs, uid) ?? uid);
}

/** The user to whom `/etc/subuid` assigns the uid: `alice:100000:65536` or `1000:100000:65536`; subuid(5). */
function ownerOfRange(rootfs: string, uid: number): number | undefined {
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

/** Names that package managers give to a file while they replace it: `filebeat;65a1b2c3` (rpm), `filebeat.dpkg-tmp`. */
const REPLACED = /;[0-9a-f]{8}$|\.dpkg-(?:tmp|new|old)$|\.rpm(?:new|save|orig)$/;
/** Programs that run the program named in their arguments. */
const LOADER = /^(?:ld(?:-.*)?\.so(?:\..*)?|ld-linux.*|ld-musl.*|qemu-.*|rosetta|FEXInterpreter|box64)$/;

/** Whether `exe` is the program that `argv[0]` names: a process may write anything into `argv[0]`. Undefined: unknown. */
function matchesExecutable(procfs: ProcFs, names: readonly string[], known: KnownFacts): boolean | undefined {
  const { pid, argv, program } = known;
  if (program === undefined) return undefined;
  const path = program.path.replace(REPLACED, '');
  const base = basename(path);
  if (isFilebeatProgram(path, argv[1], names)) return true;
  if (LOADER.test(base) && argv.slice(0, 4).some((word, at) => isFilebeatProgram(word, argv[at + 1], names)))
    return true;
  const exe = procfs.stat(`${pid}/exe`);
  if (!exe.ok) return undefined;
  const files = openFileView(known.rootDir);
  const isExe = (path: string) => {
    const stat = files.stat(path);
    return stat.ok && stat.value.id === `${exe.value.dev}:${exe.value.ino}`;
  };
  if (programPaths(known).some(isExe)) return true;
  // An upgrade may have removed the file since the start; without the environment the search path is unknown.
  const hasUnknownPath = !argv[0]?.includes('/') && known.env === undefined;
  return program.deleted || hasUnknownPath ? undefined : false;
}

/** The paths at which the program of `argv[0]` may be. */
function programPaths({ argv, env, cwd }: KnownFacts): string[] {
  const word = argv[0] ?? '';
  if (word.includes('/')) return [posix.resolve(cwd ?? '/', word)];
  return (env?.['PATH'] ?? systemPath)
    .split(':')
    .slice(0, 64)
    .map((folder) => posix.resolve(cwd ?? '/', folder, word));
}
