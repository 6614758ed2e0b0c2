/** What a scan of processes cannot see or cannot decide, as gaps. */
import { limits, withinShares } from '../../model/limits.js';
import type { Gap } from '../../model/model.js';
import { quarantinedPaths } from '../../proc/heartbeat.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { parseStatus } from '../../proc/process-files.js';
import type { ProcessFacts } from './process-facts.js';

const mostNamesakes = 20;

/** Processes that are named like a Filebeat and may be one. `namesakes`: pid → name. */
export function namesakeGaps(procfs: ProcFs, namesakes: ReadonlyMap<number, string>): Gap[] {
  const all = [...namesakes];
  // Of too many, root's come first: no other user can push them out.
  const some = all.length <= mostNamesakes ? all : all.sort(([a], [b]) => uidOf(procfs, a) - uidOf(procfs, b));
  return some.slice(0, mostNamesakes).map(([pid, name]) => ({
    reason: 'unclear' as const,
    subject: `process ${pid} (${name.slice(0, 64)})`,
    detail: 'it is named like a Filebeat and may be one; if it is, add its name to discovery.process_names',
  }));
}

/** With `hidepid=2`, pid 1 is not listed; with `hidepid=1`, processes of other users cannot be read (proc(5)). */
export function hiddenGaps(procfs: ProcFs, denied: number): Gap[] {
  if (denied > 0) return [{ reason: 'denied', subject: '/proc', detail: `${denied} processes cannot be read` }];
  if (procfs.real && !procfs.hasProcess(1))
    return [{ reason: 'denied', subject: '/proc', detail: 'processes of other users are hidden' }];
  return [];
}

/** Pids of processes whose files cannot be read without blocking (see `heartbeat.ts`). */
export function blockedPids(procfs: ProcFs): number[] {
  const prefix = `${procfs.root}/`;
  const pids = quarantinedPaths().flatMap(({ path }) => {
    const pid = path.startsWith(prefix) ? Number.parseInt(path.slice(prefix.length), 10) : 0;
    return pid > 0 ? [pid] : [];
  });
  return [...new Set(pids)];
}

/**
 * The processes to check where there are more than `limits.processes`: known Filebeats, then those of the system, then a
 * share for each user; of each group the lowest pids.
 */
export function pidsWithinLimit(
  procfs: ProcFs,
  pids: readonly number[],
  known: ReadonlyMap<number, ProcessFacts>,
): number[] {
  const accounts = new Map(pids.map((pid) => [pid, known.get(pid)?.identity.account ?? uidOf(procfs, pid)]));
  const { included } = withinShares(
    [...pids].sort((a, b) => Number(known.has(b)) - Number(known.has(a)) || a - b),
    limits.processes,
    (pid) => accounts.get(pid)!,
  );
  return pids.filter((pid) => included.has(pid)).sort((a, b) => a - b);
}

/** Real uid. The owner of `/proc/<pid>` is not used: it is root's for a process that chose not to be dumpable (proc(5)). */
function uidOf(procfs: ProcFs, pid: number): number {
  const text = procfs.piece(`${pid}/status`);
  return (text.ok ? parseStatus(text.value).uids?.[0] : undefined) ?? 0;
}
