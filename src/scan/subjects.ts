/** Running instances in the form that `self-report/` takes. Pure. */
import { isWildcardAddress } from '../model/endpoint.js';
import type { Instance, Listener, Socket } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import type { StatsSocket, Subject } from '../self-report/subject.js';
import { fitOf, type SocketIndex } from './socket-index.js';

/**
 * `ownNetns`: the exporter's network namespace; a stats endpoint on TCP can be reached only there. `onHost`: ids of instances whose
 * root is the host's.
 */
export function subjectsOf(
  instances: readonly Instance[],
  index: SocketIndex,
  ownNetns: number | undefined,
  onHost: ReadonlySet<string>,
): Subject[] {
  return instances.flatMap((instance) => {
    const { id, name, process, prediction, expected } = instance;
    if (process === undefined) return [];
    const { serving } = fitOf(instance, index);
    const { version } = prediction.release;
    const at = statsEndpointIn(expected);
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

/** -1: it has none on TCP. */
const statsEndpointIn = perObject((expected: readonly Listener[]) =>
  expected.findIndex(({ input }) => input === 'http'),
);

/** The address of a socket that the process holds; the configured name is never used. */
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
