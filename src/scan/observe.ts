/**
 * Third step of a scan: which sockets exist, and what they prove about the predictions. An instance that seems to lack a
 * socket is checked once more: if its process ended meanwhile, it is down.
 */
import type { RunningFilebeat } from '../discovery/processes/process-facts.js';
import type { Socket } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import type { SocketScan, SocketScanner } from '../sockets/scanner.js';
import { type ScanContext, stillRuns } from './discover.js';
import { type Draft, draftAgainst, endedMeanwhile, instancesOf } from './draft.js';
import { absentAt, type Births, nextBirths, refutedBy } from './evidence.js';
import type { Expected } from './expect.js';
import { fitOf, indexSockets, type SocketIndex, supersededBy } from './socket-index.js';
import { type WantedOf, wantedOf } from './wanted-endpoints.js';

export interface SocketSources {
  procfs: ProcFs;
  sockets: SocketScanner;
  /** Seconds after a start within which what a process holds proves nothing. */
  grace: number;
}

/** The kernel and the processes that hold sockets. */
export interface Kernel {
  filebeats: readonly RunningFilebeat[];
  hostNetns?: number;
  /** False on a kernel without AF_INET6. */
  ipv6: boolean;
}

export interface Observed {
  drafts: Draft[];
  index: SocketIndex;
  socketScan: SocketScan<WantedOf>;
  births: Births;
}

/** Waits for readings of the socket tables; everything else is synchronous. */
export async function observe(
  { procfs, sockets, grace }: SocketSources,
  { settings, now }: ScanContext,
  { filebeats, hostNetns, ipv6 }: Kernel,
  expected: Expected,
  births: Births,
): Promise<Observed> {
  const wanted = wantedOf(instancesOf(expected.drafts), settings.ports, { netns: hostNetns, ipv6 }, now);
  const found = await sockets.scan(
    filebeats.map(({ process }) => process),
    wanted,
    hostNetns,
  );
  const index = indexSockets(found.sockets, ipv6, hostNetns);
  const evidence = { now, grace, absentAt: (socket: Socket) => absentAt(births, socket) };
  const proved = expected.drafts.map((draft) => {
    const refuted = refutedBy(draft.instance, index, evidence);
    return refuted.length === 0 ? draft : draftAgainst(draft, refuted, expected.context);
  });
  const current = proved.map((draft) => {
    const { process } = draft.instance;
    if (process === undefined) return draft;
    const fit = fitOf(draft.instance, index);
    return fit.lacksNothing || stillRuns(procfs, process, fit) ? draft : endedMeanwhile(draft, now);
  });
  const instances = instancesOf(current);
  return {
    drafts: current.filter(({ instance }) => !supersededBy(instance, instances, index)),
    index,
    socketScan: found,
    births: nextBirths(births, instancesOf(proved), index, now),
  };
}
