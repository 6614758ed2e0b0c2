/** The host as `explain` sees it: its instances, and around each Filebeat asked about, what is bound or asked for. */
import { createFactReader } from '../discovery/processes/process-facts.js';
import type { Neighbourhood } from '../explain/collisions.js';
import type { Explanation } from '../explain/explained.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { collides } from '../filebeat/net/address.js';
import { socketTarget } from '../model/endpoint.js';
import type { Gap, Instance, Listener, Prediction, ProcessId } from '../model/model.js';
import { createBootClock } from '../proc/boot-clock.js';
import { hostRoot } from '../proc/host-visibility.js';
import { openProcFs } from '../proc/proc-fs.js';
import { openFileView } from '../proc/root-files.js';
import type { Logger } from '../runtime/log.js';
import type { Wanted } from '../sockets/consensus.js';
import { createSocketScanner } from '../sockets/scanner.js';
import { identityText } from '../words/identity-text.js';
import type { ExplainSubject } from './explain-subject.js';
import type { Flags } from './flags.js';
import { type Host, openHost } from './open-host.js';

export interface ExplainHost {
  /** Every instance that runs or ought to. */
  asked: ExplainSubject[];
  /** What stands around each of these, in their order. One look at the sockets serves all. */
  around(those: readonly { asked: ExplainSubject; explanation: Explanation }[]): Promise<Neighbourhood[]>;
  /** What could not be seen of the host itself. */
  gaps: Gap[];
  /** False when nothing could be looked at. */
  usable: boolean;
  /** Which instance a process is, and why; absent where it is none. */
  whoIs(process: ProcessId): { remark: string } | undefined;
}

/** One look; nothing is written. */
export async function scanForExplain(flags: Flags, log: Logger): Promise<ExplainHost> {
  const host = await openHost({ flags, log, isSingleScan: true, remember: false });
  const { snapshot } = await host.reporter.get();
  const { instances } = snapshot;
  const procfs = openProcFs(flags['path.procfs']);
  const rootfs = hostRoot(procfs, flags['path.rootfs']);
  const files = openFileView(rootfs);
  const hostNetns = createFactReader(procfs, rootfs, createBootClock(procfs), []).hostNetns();

  async function around(those: Parameters<ExplainHost['around']>[0]): Promise<Neighbourhood[]> {
    const subjects = those.map(({ asked, explanation: { prediction } }) => {
      const self = instances.find((instance) => isSelf(instance, asked, prediction));
      const netns = asked.netns ?? hostNetns;
      return { asked, prediction, self, netns };
    });
    const wanted = subjects.flatMap(({ netns, prediction }) => wantedOf(prediction.listeners, netns));
    const holders = instances.flatMap(({ process }) => process ?? []);
    const look = await createSocketScanner(procfs).scan(holders, wanted, hostNetns);
    return subjects.map(({ asked, prediction, self, netns }) => {
      const others = instances.filter((instance) => instance !== self);
      const dataKey = self?.dataKey ?? (asked.process ? undefined : `/|${dataPath(asked, prediction)}`);
      const addresses = look.namespaces.find((namespace) => namespace.netns === netns)?.addresses;
      const unread = netns === undefined || look.undecided.some((want) => want.netns === netns);
      return {
        sockets: look.sockets.filter((socket) => socket.netns === netns),
        others: others.filter(({ process, netns: last }) => (process?.netns ?? last ?? hostNetns) === netns),
        own: [asked.process, self?.process].filter((process) => process !== undefined),
        dataSharedWith:
          prediction.outcome === 'exits' || dataKey === undefined
            ? []
            : others.filter((instance) => instance.dataKey === dataKey).map(({ name }) => name),
        ...(addresses === undefined ? {} : { addresses }),
        // While the tables could be read, what else could not be seen only hides names of owners.
        gaps: unread ? [{ reason: 'missing', subject: 'the socket tables of its network namespace' }] : [],
      };
    });
  }

  return {
    asked: instances.map((instance) => instanceFor(instance, host, files)),
    around,
    gaps: snapshot.gaps.filter((gap) => gap.instance === undefined),
    usable: snapshot.usable,
    whoIs({ pid, startTicks }) {
      const found = instances.find(({ process }) => process?.pid === pid && process.startTicks === startTicks);
      if (found?.identity === undefined) return undefined;
      return { remark: `it is instance “${found.name}”: ${identityText(found.identity)}` };
    },
  };
}

function instanceFor(instance: Instance, host: Host, files: FileView): ExplainSubject {
  const { id, name, config, process, pendingRestart } = instance;
  const netns = process?.netns ?? instance.netns;
  const onlyRemembered = instance.origins.every((origin) => origin === 'remembered');
  const remarks = [
    ...(process === undefined ? ['no process runs it'] : []),
    ...(pendingRestart ? ['its process started with other files and has not been restarted since'] : []),
    ...(onlyRemembered ? ['only remembered: nothing says how it is started, so its listeners are as last known'] : []),
  ];
  // Whether it would start today nobody can tell without its files.
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

/** The instance itself, the process itself, or on the host the same main files and path.data. */
function isSelf(instance: Instance, asked: ExplainSubject, prediction: Prediction): boolean {
  if (asked.instance !== undefined) return instance.id === asked.instance;
  const { process, dataKey } = instance;
  if (asked.process) return process?.pid === asked.process.pid && process.startTicks === asked.process.startTicks;
  const [theirs, ours] = [instance.prediction.mainFiles ?? [], prediction.mainFiles ?? []];
  return dataKey === `/|${dataPath(asked, prediction)}` && theirs.join('\n') === ours.join('\n');
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
