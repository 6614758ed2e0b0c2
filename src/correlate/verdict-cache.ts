/**
 * The ports of one instance with their figures. Nearly always all of them are served as they were by the scan before:
 * then the verdicts of that scan are given out again, the same objects, and whoever renders them can keep what he made.
 */

import { endpointKey } from '../model/endpoint.js';
import type { HostFacts, Instance, Listener, Mismatch, PortVerdict, Snapshot, Socket } from '../model/model.js';
import { isSameList } from '../runtime/unchanged.js';
import { derivedReceiveBuffer } from './buffers.js';
import { judgePorts } from './judge-instance.js';
import type { VerdictContext } from './verdict-context.js';

interface Judged {
  ports: PortVerdict[];
  mismatches: Mismatch[];
}

/** All that a verdict on served ports depends on. */
interface CachedVerdicts extends Judged {
  pid: number;
  startTicks: number;
  /** As `ports`: every socket that could serve or block it. */
  sockets: readonly (readonly Socket[])[];
  drops: DropsOf | undefined;
  limits: HostFacts;
}

type DropsOf = NonNullable<Snapshot['drops']>[string];

/** By `Instance.expected`, which stays the same array while files and memory say the same. */
const rests = new WeakMap<readonly Listener[], CachedVerdicts>();

/** Undefined where anything could be judged differently now. */
export function cachedPortVerdicts(instance: Instance, scene: VerdictContext): Judged | undefined {
  const rest = rests.get(instance.expected);
  const { process } = instance;
  if (rest === undefined || process === undefined) return undefined;
  const { host, drops } = scene.snapshot;
  const same =
    rest.pid === process.pid &&
    rest.startTicks === process.startTicks &&
    rest.drops === drops?.[instance.id] &&
    rest.limits.ipv6 === host.ipv6 &&
    rest.limits.rmemMax === host.rmemMax &&
    rest.limits.rmemDefault === host.rmemDefault &&
    rest.ports.every(
      ({ protocol, port, listeners }, index) =>
        isSameList(rest.sockets[index]!, scene.socketsAt(instance, protocol, port!)) &&
        !scene.deaf(instance, listeners[0]!),
    );
  return same ? rest : undefined;
}

/** Every port judged, and what the ledger and the host's limits say of it. */
export function judgeAnew(instance: Instance, scene: VerdictContext): Judged {
  const { ports, mismatches } = judgePorts(instance, scene);
  for (const port of ports) addMeters(port, instance, scene.snapshot);
  const { process, expected } = instance;
  rests.delete(expected);
  if (process === undefined || mismatches.length > 0 || !ports.every(isServed)) return { ports, mismatches };
  const { drops, host } = scene.snapshot;
  rests.set(expected, {
    ports,
    mismatches,
    pid: process.pid,
    startTicks: process.startTicks,
    sockets: ports.map(({ protocol, port }) => scene.socketsAt(instance, protocol, port!)),
    drops: drops?.[instance.id],
    limits: host,
  });
  return { ports, mismatches };
}

/** By a socket on its own number: neither time nor other ports bear on that. */
function isServed({ status, port, listeners }: PortVerdict): boolean {
  return status === 'listening' && port !== undefined && listeners.every(({ target }) => target.kind === 'socket');
}

/** Figures that the ledger and the host's limits give a port. */
function addMeters(port: PortVerdict, instance: Instance, snapshot: Snapshot): void {
  const drops = snapshot.drops?.[instance.id]?.[endpointKey(port)];
  if (drops !== undefined) Object.assign(port, { dropsTotal: drops.total, dropsRecent: drops.recent });
  const buffer = effectiveBuffer(port, snapshot);
  if (buffer !== undefined) port.receiveBuffer = buffer;
}

/** Bytes; not where several inputs share the socket, or where nobody knows what its input asked for. */
function effectiveBuffer(port: PortVerdict, snapshot: Snapshot): number | undefined {
  if (port.protocol !== 'udp' || port.socket === undefined || port.listeners.length !== 1) return undefined;
  return port.input === 'learned' ? undefined : derivedReceiveBuffer(port.listeners[0]!.readBuffer, snapshot.host);
}
