/**
 * Facts about one network namespace: parsers of `/proc/<pid>/net/{snmp,snmp6,fib_trie,if_inet6}`; see proc(5) and
 * https://docs.kernel.org/networking/snmp_counter.html.
 */
import type { Gap, Namespace, Reading, UdpCounters } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import { formatIPv6 } from './table.js';

/**
 * Both families added: a dual-stack socket's datagrams count under the family they came in. `snmp` has
 * `Udp: InDatagrams NoPorts …` over `Udp: 65 0 …`; `snmp6` has one `Udp6InDatagrams  65` per line, or is not there.
 */
export function parseUdpCounters(snmp: string, snmp6: string): UdpCounters | undefined {
  const [names, values] = snmp.split('\n').filter((line) => line.startsWith('Udp: '));
  if (names === undefined || values === undefined) return undefined;
  const words = values.split(' ');
  const v4 = new Map(names.split(' ').map((name, index) => [name, Number(words[index])]));
  const v6 = new Map([...snmp6.matchAll(/^Udp6(\w+)\s+(\d+)$/gm)].map(([, name, value]) => [name!, Number(value)]));
  const sum = (name: string) => (v4.get(name) ?? Number.NaN) + (v6.get(name) ?? 0);
  const counters = {
    inDatagrams: sum('InDatagrams'),
    noPorts: sum('NoPorts'),
    inErrors: sum('InErrors'),
    receiveBufferErrors: sum('RcvbufErrors'),
  };
  return Object.values(counters).every(Number.isFinite) ? counters : undefined;
}

/**
 * Local IPv4 addresses: `|-- 192.0.2.2` over `/32 host LOCAL`. A local range, such as 127.0.0.0/8, is returned as a prefix.
 */
export function parseFibTrie(text: string): string[] {
  const addresses = new Set<string>();
  let leaf: string | undefined;
  for (const line of text.split('\n')) {
    const address = /\|-- ([0-9.]+)$/.exec(line);
    if (address) leaf = address[1]!;
    const local = /^\s+\/(\d+) host LOCAL/.exec(line);
    if (local && leaf !== undefined) addresses.add(local[1] === '32' ? leaf : `${leaf}/${local[1]}`);
  }
  return [...addresses];
}

/** `fe8000000000000000fc00fffe000001 04 40 20 80     eth0`: here the bytes are in network order. */
export function parseIfInet6(text: string): string[] {
  const addresses = new Set<string>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{32}) /.exec(line);
    if (match) addresses.add(formatIPv6(Uint8Array.from(Buffer.from(match[1]!, 'hex'))));
  }
  return [...addresses];
}

/** Sockets may bind addresses that no interface has, as on hosts that share an address by VRRP (ip(7), ip_nonlocal_bind). */
function canBindAnyAddress(procfs: ProcFs): boolean {
  return ['ipv4', 'ipv6'].some((family) => {
    const setting = procfs.piece(`sys/net/${family}/ip_nonlocal_bind`);
    return setting.ok && setting.value.trim() === '1';
  });
}

/**
 * Reads one namespace through `via` (`self` or a pid in it). Addresses and the first unprivileged port matter only when a
 * port is missing, and route tables can be long, so they are read only with `whole`. `/proc/sys/net` shows the
 * exporter's own namespace; `own`: that is this one.
 */
export function readNamespace(
  procfs: ProcFs,
  via: string,
  namespace: { netns: number; host: boolean; own: boolean; whole: boolean },
): { namespace: Namespace; gaps: Gap[] } {
  const gaps: Gap[] = [];
  const text = (reading: Reading<string>): string | undefined => {
    if (reading.ok) return reading.value;
    if (reading.gap.reason === 'denied') gaps.push(reading.gap);
    return undefined;
  };
  const { netns, host, own, whole } = namespace;
  const facts: Namespace = { netns, host };
  const snmp = text(procfs.piece(`${via}/net/snmp`));
  const counters =
    snmp === undefined ? undefined : parseUdpCounters(snmp, text(procfs.piece(`${via}/net/snmp6`)) ?? '');
  if (counters) facts.counters = counters;
  else if (snmp !== undefined) gaps.push({ reason: 'malformed', subject: `/proc/${via}/net/snmp` });
  if (!whole) return { namespace: facts, gaps };

  const trie = own && canBindAnyAddress(procfs) ? undefined : text(procfs.text(`${via}/net/fib_trie`));
  if (trie !== undefined) {
    const interfaces = text(procfs.text(`${via}/net/if_inet6`));
    facts.addresses = [...parseFibTrie(trie), ...parseIfInet6(interfaces ?? '')];
  }
  const start = own ? procfs.piece('sys/net/ipv4/ip_unprivileged_port_start') : undefined;
  if (start?.ok && /^\d+\s*$/.test(start.value)) facts.unprivilegedPortStart = Number(start.value);
  return { namespace: facts, gaps };
}
