/** Running instances as their self-reports are looked at. Pure. */
import { isWildcardAddress } from '../model/endpoint.js';
import type { Instance, Socket } from '../model/model.js';
import type { StatsSocket, Subject } from '../self-report/subject.js';
import { fitOf, type SocketIndex } from './socket-index.js';

/** `ownNetns`: of this program. `onHost`: ids of those whose files are the host's. */
export function subjectsOf(
  instances: readonly Instance[],
  held: SocketIndex,
  ownNetns: number | undefined,
  onHost: ReadonlySet<string>,
): Subject[] {
  return instances.flatMap((instance) => {
    const { id, name, process, prediction, expected } = instance;
    if (process === undefined) return [];
    const { serving } = fitOf(instance, held);
    const { version } = prediction.release;
    const at = expected.findIndex(({ input }) => input === 'http');
    const { statsSocket } = prediction;
    const stats: StatsSocket | undefined =
      statsSocket !== undefined
        ? { kind: 'unix', path: statsSocket }
        : at < 0 || process.netns !== ownNetns
          ? undefined
          : targetOf(serving[at] ?? []);
    return [
      {
        id,
        name,
        process,
        onHost: onHost.has(id),
        logs: prediction.paths.logs,
        data: prediction.paths.data,
        ...(version === undefined ? {} : { release: version }),
        listeners: expected,
        serving,
        ...(stats === undefined ? {} : { stats }),
      },
    ];
  });
}

/** A listening socket that this very process holds: its own address, never the configured name. */
function targetOf(sockets: readonly Socket[]): StatsSocket | undefined {
  const [socket] = sockets;
  if (socket === undefined || socket.protocol !== 'tcp') return undefined;
  const { address, family, port, inode } = socket;
  return {
    kind: 'tcp',
    address: isWildcardAddress(address) ? (family === 4 || address === '::' ? '127.0.0.1' : '::1') : address,
    port,
    inode,
  };
}
