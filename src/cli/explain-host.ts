/** The host as `explain` needs it: its instances, and the sockets and other instances around each explained Filebeat. */
import { FactReader } from '../discovery/processes/process-facts.js';
import type { Neighbourhood } from '../explain/collisions.js';
import type { Explanation } from '../explain/explained.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { collides } from '../filebeat/net/address.js';
import { socketTarget } from '../model/endpoint.js';
import { isOnlyRemembered, isSameProcess, netnsOf } from '../model/instance-rules.js';
import type { Gap, Instance, Listener, Prediction, ProcessId } from '../model/model.js';
import { createBootClock } from '../proc/boot-clock.js';
import { openFileView } from '../proc/files/root-files.js';
import { hostRoot } from '../proc/host-visibility.js';
import { openProcFs } from '../proc/proc-fs.js';
import type { Logger } from '../runtime/log.js';
import type { Wanted } from '../sockets/consensus.js';
import { createSocketScanner } from '../sockets/scanner.js';
import { identityText } from '../words/identity-text.js';
import type { ExplainSubject } from './explain-subject.js';
import type { Flags } from './flags.js';
import { type Host, openHost } from './open-host.js';

export interface ExplainHost {
  /** Every instance that runs or is expected to. */
  subjects: ExplainSubject[];
  /** The neighbourhood of each, in the same order, from one scan of the sockets. */
  around(explained: readonly { subject: ExplainSubject; explanation: Explanation }[]): Promise<Neighbourhood[]>;
  /** Gaps of the host itself, not of one instance. */
  gaps: Gap[];
  /** False: the scan failed. */
  usable: boolean;
  /** Which instance a process is, and why; undefined if it is none. */
  whoIs(process: ProcessId): { remark: string } | undefined;
}

/** Scans once. Does not write the state file. */
export async function scanForExplain(flags: Flags, log: Logger): Promise<ExplainHost> {
  const host = await openHost({ flags, log, isSingleScan: true, remember: false });
  const { snapshot } = await host.reporter.get();
  const { instances } = snapshot;
  const procfs = openProcFs(flags['path.procfs']);
  const rootfs = hostRoot(procfs, flags['path.rootfs']);
  const files = openFileView(rootfs);
  const hostNetns = new FactReader(procfs, rootfs, createBootClock(procfs), []).hostNetns();

  async function around(explained: Parameters<ExplainHost['around']>[0]): Promise<Neighbourhood[]> {
    const targets = explained.map(({ subject, explanation: { prediction } }) => {
      const self = instances.find((instance) => isSelf(instance, subject, prediction));
      return { subject, prediction, self, netns: subject.netns ?? hostNetns };
    });
    const wanted = targets.flatMap(({ netns, prediction }) => wantedOf(prediction.listeners, netns));
    const processes = instances.flatMap(({ process }) => process ?? []);
    const scan = await createSocketScanner(procfs).scan(processes, wanted, hostNetns);
    return targets.map(({ subject, prediction, self, netns }) => {
      const others = instances.filter((instance) => instance !== self);
      const dataKey = self?.dataKey ?? (subject.process ? undefined : `/|${dataPath(subject, prediction)}`);
      const addresses = scan.namespaces.find((namespace) => namespace.netns === netns)?.addresses;
      const unread = netns === undefined || scan.undecided.some((want) => want.netns === netns);
      return {
        sockets: scan.sockets.filter((socket) => socket.netns === netns),
        others: others.filter((one) => netnsOf(one, hostNetns) === netns),
        own: [subject.process, self?.process].filter((process) => process !== undefined),
        dataSharedWith:
          prediction.outcome === 'exits' || dataKey === undefined
            ? []
            : others.filter((instance) => instance.dataKey === dataKey).map(({ name }) => name),
        ...(addresses === undefined ? {} : { addresses }),
        // If the tables could be read, other gaps hide only the names of owners.
        gaps: unread ? [{ reason: 'missing', subject: 'the socket tables of its network namespace' }] : [],
      };
    });
  }

  return {
    subjects: instances.map((instance) => subjectOfInstance(instance, host, files)),
    around,
    gaps: snapshot.gaps.filter((gap) => gap.instance === undefined),
    usable: snapshot.usable,
    whoIs(process) {
      const instance = instances.find((one) => isSameProcess(one.process, process));
      if (instance?.identity === undefined) return undefined;
      return { remark: `it is instance “${instance.name}”: ${identityText(instance.identity)}` };
    },
  };
}

function subjectOfInstance(instance: Instance, host: Host, files: FileView): ExplainSubject {
  const { id, name, config, process, pendingRestart } = instance;
  const netns = netnsOf(instance);
  const onlyRemembered = isOnlyRemembered(instance);
  const remarks = [
    ...(process === undefined ? ['it is not running'] : []),
    ...(pendingRestart ? ['its process still runs with an earlier version of its files'] : []),
    ...(onlyRemembered
      ? ['only remembered: nothing on this host says how it is started, so its listeners are those last known']
      : []),
  ];
  // Without its files, nobody knows whether it would start today.
  const prediction = onlyRemembered ? { ...instance.prediction, outcome: 'unknown' as const } : instance.prediction;
  return {
    subject: { name, ...(process ? { pid: process.pid } : {}), config, remarks },
    predict: (options) => (Object.keys(options).length === 0 ? prediction : host.predictAgain(id, options)),
    instance: id,
    ...(process ? { process } : {}),
    ...(netns === undefined ? {} : { netns }),
    files,
  };
}

/** Whether the subject is this instance: by id, by process, or by main files and path.data. */
function isSelf(instance: Instance, subject: ExplainSubject, prediction: Prediction): boolean {
  if (subject.instance !== undefined) return instance.id === subject.instance;
  const { process, dataKey } = instance;
  if (subject.process) return isSameProcess(process, subject.process);
  const [theirs, ours] = [instance.prediction.mainFiles ?? [], prediction.mainFiles ?? []];
  return dataKey === `/|${dataPath(subject, prediction)}` && theirs.join('\n') === ours.join('\n');
}

function dataPath({ files }: ExplainSubject, { paths }: Prediction): string {
  const resolved = files.resolve(paths.data);
  return resolved.ok ? resolved.value : paths.data;
}

function wantedOf(listeners: readonly Listener[], netns: number | undefined): Wanted[] {
  if (netns === undefined) return [];
  return listeners.flatMap(({ protocol, target }): Wanted[] => {
    if (target.kind !== 'socket') return [];
    const meets: Wanted['isServedBy'] = (row) => collides(target, socketTarget(row));
    return [{ netns, protocol, port: target.port, isServedBy: meets, isBlockedBy: meets }];
  });
}
