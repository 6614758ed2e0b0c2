/** Keys of endpoints, and a socket seen as a Target. Pure. */
import type { Endpoint, Listener, Protocol, Socket, Target } from './model.js';

/** `udp|127.0.0.1|9000`: one series for each of these in an instance. */
export function endpointKey(of: { protocol: Protocol; address: string; port?: number | undefined }): string {
  return `${of.protocol}|${of.address}|${of.port ?? ''}`;
}

/** A number for each protocol and port: what is looked up ten thousand times in a scan is no text. */
export function portKey(protocol: Protocol, port: number): number {
  return port * 2 + (protocol === 'udp' ? 0 : 1);
}

/** The endpoint alone of whatever has one. */
export function endpointOf({ protocol, address, port }: Endpoint): Endpoint {
  return { protocol, address, ...(port === undefined ? {} : { port }) };
}

/** What a socket of the kernel's table occupies, in the form that collisions are worked out in. `::` may be dual-stack: the table cannot tell. */
export function socketTarget(socket: Pick<Socket, 'family' | 'address' | 'port'>): Target {
  const { family, address, port } = socket;
  // An IPv6 socket on a v4-mapped address occupies the IPv4 one.
  const mapped = family === 6 ? /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address) : null;
  if (mapped) return { kind: 'socket', family: 4, address: mapped[1]!, port, serves: 'ipv4' };
  return { kind: 'socket', family, address, port, serves: family === 4 ? 'ipv4' : address === '::' ? 'any' : 'ipv6' };
}

/** Listeners grouped by endpoint, in order of protocol, port, address: the order of every view. */
export function byEndpoint(listeners: readonly Listener[]): Listener[][] {
  const groups = new Map<string, Listener[]>();
  for (const listener of listeners) {
    const key = endpointKey(listener);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [listener]);
    else group.push(listener);
  }
  return [...groups.values()].sort((a, b) => compareEndpoints(a[0]!, b[0]!));
}

export function compareEndpoints(
  a: { protocol: Protocol; address: string; port?: number | undefined },
  b: { protocol: Protocol; address: string; port?: number | undefined },
): number {
  if (a.protocol !== b.protocol) return a.protocol === 'udp' ? -1 : 1;
  return (a.port ?? -1) - (b.port ?? -1) || (a.address < b.address ? -1 : a.address > b.address ? 1 : 0);
}
