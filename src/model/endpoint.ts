/** Keys of endpoints, and the target that a socket occupies. */
import { groupBy } from '../runtime/group-by.js';
import type { Endpoint, Listener, Protocol, Socket, Target } from './model.js';

/** `udp|127.0.0.1|9000`: one series for each of these in an instance. */
export function endpointKey(of: { protocol: Protocol; address: string; port?: number | undefined }): string {
  return `${of.protocol}|${of.address}|${of.port ?? ''}`;
}

/** Protocol and port as one number, which is faster than a text as the key of a map. */
export function portKey(protocol: Protocol, port: number): number {
  return port * 2 + (protocol === 'udp' ? 0 : 1);
}

/** Of either family. */
export function isWildcardAddress(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Only the fields of the endpoint. */
export function endpointOf({ protocol, address, port }: Endpoint): Endpoint {
  return { protocol, address, ...(port === undefined ? {} : { port }) };
}

/** The target that a socket of the kernel's table occupies, for comparing. `::` may be dual-stack; the table does not say. */
export function socketTarget(socket: Pick<Socket, 'family' | 'address' | 'port'>): Target {
  const { family, address, port } = socket;
  // An IPv6 socket on a v4-mapped address occupies the IPv4 one.
  const mapped = family === 6 ? /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address) : null;
  if (mapped) return { kind: 'socket', family: 4, address: mapped[1]!, port, serves: 'ipv4' };
  return { kind: 'socket', family, address, port, serves: family === 4 ? 'ipv4' : address === '::' ? 'any' : 'ipv6' };
}

/** Listeners grouped by endpoint, ordered by protocol, port and address, as in every view. */
export function byEndpoint(listeners: readonly Listener[]): Listener[][] {
  return [...groupBy(listeners, endpointKey).values()].sort((a, b) => compareEndpoints(a[0], b[0]));
}

/** The order of every view: UDP first, then by port and address. */
export function compareEndpoints(
  a: { protocol: Protocol; address: string; port?: number | undefined },
  b: { protocol: Protocol; address: string; port?: number | undefined },
): number {
  if (a.protocol !== b.protocol) return a.protocol === 'udp' ? -1 : 1;
  return (a.port ?? -1) - (b.port ?? -1) || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0);
}
