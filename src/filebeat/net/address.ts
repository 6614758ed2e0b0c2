/**
 * The socket that a configured host becomes: Go's net package (SplitHostPort, LookupPort, ResolveUDPAddr, Listen) on
 * Linux; and which sockets the kernel allows side by side (bind(2), ipv6(7)).
 */
import { isWildcardAddress } from '../../model/endpoint.js';
import type { InvalidWhy, Listener, Protocol, Socket, Target } from '../../model/model.js';
import { type Address, isMulticast, parseAddress } from './ip.js';
import type { NameTables } from './name-tables.js';

/** `network` of an input: `udp`, `udp4`, `udp6` (or `tcp…`). */
export type Network = 'any' | 'v4' | 'v6';

export interface ResolvedHost {
  target: Target;
  /** The `address` label: `*` for both wildcards; multicast groups and names as configured. */
  address: string;
  /** 0 = random; absent when the host has no usable port. */
  port?: number;
}

type Split = { ok: true; host: string; service: string; brackets: boolean } | { ok: false; why: InvalidWhy };

/** `host`: after evaluation of `${…}`; an empty one means any address and a random port. */
export function resolveHost(host: string, protocol: Protocol, network: Network, names: NameTables): ResolvedHost {
  const split: Split = host === '' ? { ok: true, host: '', service: '', brackets: false } : splitHostPort(host);
  if (!split.ok) return { target: { kind: 'invalid', why: split.why }, address: host };
  const port = lookupPort(split.service, protocol, names);
  if (typeof port !== 'number') return { target: port, address: split.host || '*' };
  const candidates = lookupHost(split.host, names);
  if (candidates === undefined) return { target: { kind: 'invalid', why: 'bad-host' }, address: split.host, port };
  if (candidates.length === 0) return { target: { kind: 'name', port }, address: split.host, port };
  const chosen = choose(candidates, protocol, network, split.brackets);
  if (!chosen) return { target: { kind: 'invalid', why: 'wrong-family' }, address: labelOf(candidates[0]!), port };
  const { label, bound } = bind(chosen, protocol, network, split.host);
  const target: Target = port === 0 ? { kind: 'random', ...bound } : { kind: 'socket', ...bound, port };
  return { target, address: label, port };
}

/** Go's net.SplitHostPort. */
function splitHostPort(text: string): Split {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { ok: false, why: 'missing-port' };
  let host = text.slice(0, colon);
  const brackets = text.includes('[');
  if (text.startsWith('[')) {
    const close = text.indexOf(']');
    if (close < 0) return { ok: false, why: 'bad-host' };
    if (close + 1 !== colon)
      return { ok: false, why: text.charAt(close + 1) === ':' ? 'too-many-colons' : 'missing-port' };
    host = text.slice(1, close);
    if (host.includes('[') || text.slice(close + 1).includes(']')) return { ok: false, why: 'bad-host' };
  } else {
    if (host.includes(':')) return { ok: false, why: 'too-many-colons' };
    if (/[[\]]/.test(text)) return { ok: false, why: 'bad-host' };
  }
  return { ok: true, host, service: text.slice(colon + 1), brackets };
}

/** Go's parsePort: an optional sign and decimal digits (`09000`, `+9000`); anything else is a service name. */
function lookupPort(service: string, protocol: Protocol, names: NameTables): number | Target {
  if (/^[+-]?[0-9]*$/.test(service)) {
    const port = Number(service.replace(/^[+-]$/, ''));
    return port >= 0 && port <= 65535 ? Math.abs(port) : { kind: 'invalid', why: 'bad-port' };
  }
  const known = names.service(service, protocol);
  if (known !== undefined) return known <= 65535 ? known : { kind: 'invalid', why: 'bad-port' };
  if (/^[\w.+-]+$/.test(service) && names.servicesUnread?.()) return { kind: 'unresolved', why: 'service-name' };
  return { kind: 'invalid', why: 'unknown-service' };
}

/** Addresses of a host; none for a name that needs a name server; undefined for an invalid name. */
function lookupHost(host: string, names: NameTables): Address[] | undefined {
  if (host === '') return [{ family: 6, text: '' }];
  const literal = parseAddress(host);
  // For `::` Go listens on IPv4, too, if IPv6 is missing or excluded.
  if (literal?.text === '::') return [literal, { family: 4, text: '0.0.0.0' }];
  if (literal) return [literal];
  if (!isDomainName(host)) return undefined;
  return names.hosts(host).flatMap((text) => parseAddress(text) ?? []);
}

/** Go's isDomainName: letters, digits, `-`, `_` and dots, but not digits and dots alone (`127.1`, `0`). */
function isDomainName(name: string): boolean {
  if (name.length > 254 || (name.length === 254 && !name.endsWith('.'))) return false;
  const labels = name.replace(/\.$/, '').split('.');
  return /[A-Za-z_-]/.test(name) && labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

/** The address that Go uses: IPv4 before IPv6, but IPv6 first for UDP hosts in brackets. */
function choose(candidates: Address[], protocol: Protocol, network: Network, brackets: boolean): Address | undefined {
  const usable = candidates.filter(
    ({ family, text }) => text === '' || network === 'any' || family === (network === 'v4' ? 4 : 6),
  );
  const preferred = brackets && protocol === 'udp' ? 6 : 4;
  return usable.find(({ family }) => family === preferred) ?? usable[0];
}

type Bound = Pick<Target & { kind: 'random' }, 'family' | 'address' | 'serves' | 'reuse'>;

function bind(chosen: Address, protocol: Protocol, network: Network, host: string): { label: string; bound: Bound } {
  if (chosen.text === '' || isWildcardAddress(chosen.text)) {
    if (network === 'v4') return { label: '0.0.0.0', bound: { family: 4, address: '0.0.0.0', serves: 'ipv4' } };
    if (network === 'v6') return { label: '::', bound: { family: 6, address: '::', serves: 'ipv6' } };
    // Go opens one dual-stack socket for either wildcard; for 0.0.0.0 an IPv4 socket serves as well.
    return { label: '*', bound: { family: 6, address: '::', serves: host.includes('.') ? 'ipv4' : 'any' } };
  }
  if (protocol === 'udp' && isMulticast(chosen)) {
    // Go binds the wildcard with SO_REUSEADDR; the IPv6 wildcard receives IPv4, too, unless `network` is `udp6`.
    if (chosen.family === 4)
      return { label: host, bound: { family: 4, address: '0.0.0.0', serves: 'ipv4', reuse: true } };
    const serves = network === 'v6' ? 'ipv6' : 'any';
    return { label: host, bound: { family: 6, address: '::', serves, reuse: true } };
  }
  const serves = chosen.family === 4 ? 'ipv4' : 'ipv6';
  return { label: labelOf(chosen), bound: { family: chosen.family, address: chosen.text, serves } };
}

function labelOf(address: Address): string {
  if (address.text === '') return '*';
  return address.zone === undefined ? address.text : `${address.text}%${address.zone}`;
}

/**
 * True if the kernel refuses the second of two sockets of one protocol and network namespace. Only multicast sockets
 * have SO_REUSEADDR; only targets with a known port can collide.
 */
export function collides(a: Target, b: Target): boolean {
  if (a.kind !== 'socket' || b.kind !== 'socket' || a.port !== b.port || (a.reuse && b.reuse)) return false;
  if (a.family === b.family)
    return a.address === b.address || isWildcardAddress(a.address) || isWildcardAddress(b.address);
  const six = a.family === 6 ? a : b;
  return six.address === '::' && six.serves !== 'ipv6';
}

/** Whether an observed socket serves a listener, on all of its addresses or on some. */
export function isServedBy(
  { protocol, target }: Pick<Listener, 'protocol' | 'target'>,
  socket: Pick<Socket, 'protocol' | 'family' | 'address' | 'port'>,
  ipv6: boolean,
): boolean {
  return protocol === socket.protocol && serves(target, socket, ipv6) !== 'no';
}

/**
 * Whether an observed socket of the same protocol serves the listener. `narrower`: on the IPv4 wildcard, where both
 * families are configured (but `exact` if the kernel has no IPv6: `ipv6` false). Names match by port alone; random
 * ports never match.
 */
export function serves(
  target: Target,
  socket: Pick<Socket, 'family' | 'address' | 'port'>,
  ipv6 = true,
): 'exact' | 'narrower' | 'no' {
  if ((target.kind !== 'socket' && target.kind !== 'name') || target.port !== socket.port) return 'no';
  if (target.kind === 'name') return 'exact';
  if (target.family === socket.family && target.address === socket.address) return 'exact';
  const dualStack = target.family === 6 && target.address === '::' && target.serves !== 'ipv6';
  if (!dualStack || socket.family !== 4 || socket.address !== '0.0.0.0') return 'no';
  return target.serves === 'ipv4' || !ipv6 ? 'exact' : 'narrower';
}
