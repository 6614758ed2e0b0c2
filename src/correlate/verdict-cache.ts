/**
 * The verdicts on the ports of one instance. Nearly always each port is served by the same socket as in the previous scan;
 * then the result is the same object, so that what was rendered from it can be used again: see `runtime/unchanged.ts`.
 */

import { endpointKey, portKey } from '../model/endpoint.js';
import type { Instance, Listener, Mismatch, PortVerdict, Snapshot, Socket } from '../model/model.js';
import { createResultCache, perObject, unlessChanged } from '../runtime/unchanged.js';
import { derivedReceiveBuffer } from './buffers.js';
import { judgePorts } from './judge-instance.js';
import type { SocketsByPort, VerdictContext } from './verdict-context.js';

interface Judged {
  ports: PortVerdict[];
  mismatches: Mismatch[];
}

/** By `Instance.expected`. */
const cache = createResultCache<readonly Listener[], Judged>();
/** The last verdicts of all others, so that those that say the same stay the same objects: by `Instance.expected`. */
const last = new WeakMap<readonly Listener[], PortVerdict[]>();

/** Judges every port, with drops from the ledger and the size of its receive buffer. */
export function judgedPorts(instance: Instance, context: VerdictContext): Judged {
  const inputs = inputsOf(instance, context);
  const cached = inputs && cache.get(instance.expected, inputs);
  if (cached !== undefined) return cached;
  const judged = judge(instance, context);
  judged.ports = unlessChanged(last.get(instance.expected), judged.ports);
  last.set(instance.expected, judged.ports);
  // All other verdicts also depend on time and on other ports.
  const isServed = judged.mismatches.length === 0 && judged.ports.every(({ status }) => status === 'listening');
  if (inputs !== undefined && isServed) cache.set(instance.expected, inputs, judged);
  else cache.delete(instance.expected);
  return judged;
}

/** Everything that the verdicts depend on while every port is served by a socket; undefined where more counts. */
function inputsOf(instance: Instance, context: VerdictContext): unknown[] | undefined {
  const { process, expected } = instance;
  if (process === undefined || !areAllFixed(expected)) return undefined;
  const { host, drops } = context.snapshot;
  return [
    process.pid,
    process.startTicks,
    drops?.[instance.id],
    host.ipv6,
    host.rmemMax,
    host.rmemDefault,
    mayBeDeaf(expected).some((listener) => context.deaf(instance, listener)),
    socketsAtAll(expected, context.socketsBeside(instance)),
  ];
}

/** Only these are served by a socket on a known port. */
const areAllFixed = perObject((expected: readonly Listener[]): boolean =>
  expected.every(({ target, refused }) => target.kind === 'socket' && refused === undefined),
);

const mayBeDeaf = perObject((expected: readonly Listener[]) => expected.filter(({ retry }) => retry === 'deaf'));

const NO_SOCKETS: readonly Socket[] = [];

/** The sockets on the port of each listener. */
const socketsAtAll = perObject((expected: readonly Listener[], sockets: SocketsByPort) =>
  expected.map(({ protocol, target }) =>
    target.kind === 'socket' ? (sockets.get(portKey(protocol, target.port)) ?? NO_SOCKETS) : NO_SOCKETS,
  ),
);

function judge(instance: Instance, context: VerdictContext): Judged {
  const { ports, mismatches } = judgePorts(instance, context);
  for (const port of ports) addMeters(port, instance, context.snapshot);
  return { ports, mismatches };
}

function addMeters(port: PortVerdict, instance: Instance, snapshot: Snapshot): void {
  const drops = snapshot.drops?.[instance.id]?.[endpointKey(port)];
  if (drops !== undefined) Object.assign(port, { dropsTotal: drops.total, dropsRecent: drops.recent });
  const buffer = effectiveBuffer(port, snapshot);
  if (buffer !== undefined) port.receiveBuffer = buffer;
}

/** Bytes; undefined if several inputs share the socket, or if the configured size is unknown. */
function effectiveBuffer(port: PortVerdict, snapshot: Snapshot): number | undefined {
  if (port.protocol !== 'udp' || port.socket === undefined || port.listeners.length !== 1) return undefined;
  return port.input === 'learned' ? undefined : derivedReceiveBuffer(port.listeners[0]!.readBuffer, snapshot.host);
}
