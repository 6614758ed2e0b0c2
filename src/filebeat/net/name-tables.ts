/**
 * `/etc/hosts` and `/etc/services` (hosts(5), services(5)) as Go's resolver reads them, and the services built into
 * Go.
 */
import type { Gap, Protocol } from '../../model/model.js';
import type { FileView } from '../files/file-view.js';
import { derive } from '../files/frozen-view.js';
import { parseAddress } from './ip.js';

/** Lookups of host and service names. */
export interface NameTables {
  /** Addresses of a name in the order of the file; empty if it is not in the file. Ignores case. */
  hosts(name: string): string[];
  /** Port of a service. Ignores case. */
  service(name: string, protocol: Protocol): number | undefined;
  /** `/etc/services` exists but cannot be read: an unknown service may have a port. */
  servicesUnread?(): boolean;
}

/** Compiled into Go (net/lookup.go). */
const builtinServices: Record<Protocol, Record<string, number>> = {
  udp: { domain: 53 },
  tcp: {
    domain: 53,
    ftp: 21,
    ftps: 990,
    gopher: 70,
    http: 80,
    https: 443,
    imap2: 143,
    imap3: 220,
    imaps: 993,
    pop3: 110,
    pop3s: 995,
    smtp: 25,
    ssh: 22,
    submissions: 465,
    telnet: 23,
  },
};

const maximalBytes = 4 * 1024 * 1024;

/**
 * Go looks `localhost` up in the hosts file like any name. If it is not there, the C library, systemd-resolved and
 * every name server (RFC 6761) still return 127.0.0.1, so that is assumed. Files are read at the first lookup: most
 * configurations use no names. `note` gets the gap for a file that exists but cannot be read.
 */
export function nameTables(files: FileView, note: (gap: Gap) => void): NameTables {
  const read = (path: string): string | undefined => {
    const reading = files.read(path, maximalBytes);
    if (reading.ok) {
      const { bytes } = reading.value;
      return derive(bytes, 'latin1', () => Buffer.from(bytes).toString('latin1'));
    }
    if (reading.gap.reason === 'missing') return '';
    note(reading.gap);
    return undefined;
  };
  const hosts = once(() => parseHosts(read('/etc/hosts') ?? ''));
  const services = once(() => read('/etc/services'));
  return {
    hosts(name) {
      const lower = name.toLowerCase();
      return hosts().get(lower) ?? (lower === 'localhost' ? ['127.0.0.1'] : []);
    },
    service: (name, protocol) => servicesOf(services() ?? '')[protocol].get(name.toLowerCase()),
    servicesUnread: () => services() === undefined,
  };
}

function once<T>(make: () => T): () => T {
  let result: { value: T } | undefined;
  return () => {
    result ??= { value: make() };
    return result.value;
  };
}

let lastServices: { text: string; services: ReturnType<typeof parseServices> } | undefined;

/** Caches the last file: usually all instances of a host have the same one. */
function servicesOf(text: string): ReturnType<typeof parseServices> {
  if (lastServices?.text !== text) lastServices = { text, services: parseServices(text) };
  return lastServices.services;
}

function fieldsOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => (line.split('#', 1)[0] ?? '').split(/[ \r\t]+/).filter((field) => field !== ''));
}

/** `127.0.0.1 localhost loghost # comment` → name to addresses. */
export function parseHosts(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const [address = '', ...names] of fieldsOf(text)) {
    if (!parseAddress(address)) continue;
    for (const name of names) hosts.set(name.toLowerCase(), [...(hosts.get(name.toLowerCase()) ?? []), address]);
  }
  return hosts;
}

/** `syslog 514/udp alias # comment` → name to port. The last line of a name wins, also over Go's built-in names. */
export function parseServices(text: string): Record<Protocol, Map<string, number>> {
  const services = {
    udp: new Map(Object.entries(builtinServices.udp)),
    tcp: new Map(Object.entries(builtinServices.tcp)),
  };
  for (const [name, number = '', ...aliases] of fieldsOf(text)) {
    const [, port, protocol] = /^([0-9]{1,7})\/(udp|tcp)$/.exec(number) ?? [];
    if (name === undefined || Number(port ?? 0) <= 0 || (protocol !== 'udp' && protocol !== 'tcp')) continue;
    for (const spelling of [name, ...aliases]) services[protocol].set(spelling, Number(port));
  }
  return services;
}
