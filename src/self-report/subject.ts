/** One running instance as its self-report needs it, and which of its listeners an input's counters are of. Pure. */
import { createHash } from 'node:crypto';
import { compareReleases, parseRelease } from '../filebeat/releases/releases.js';
import { endpointKey } from '../model/endpoint.js';
import type { Listener, ProcessId, Socket, StaticPort } from '../model/model.js';
import { type EntryFigures, endpointOfDevice } from './pipeline-figures.js';

/** Where a stats endpoint listens, by a socket that this very process holds. */
export type StatsSocket =
  /** In the exporter's own network namespace; `address`: of the socket, never the configured name. */
  | { kind: 'tcp'; address: string; port: number; inode: number }
  /** `path`: as the process sees it. */
  | { kind: 'unix'; path: string };

/** One running instance, as far as its self-report needs it. */
export interface Subject {
  /** `Instance.id`. */
  id: string;
  name: string;
  process: ProcessId & { startTime: number };
  /** Its files are the host's: no root of its own. */
  onHost?: boolean;
  /** `path.logs` and `path.data` as it sees them. */
  logs: string;
  data: string;
  release?: string;
  listeners: readonly Listener[];
  /** As `listeners`: the sockets of its process that serve each. */
  serving: readonly (readonly Socket[])[];
  stats?: StatsSocket;
}

export interface SelfReportRules {
  logs: boolean;
  http: boolean;
  /** Seconds; 0 = never. */
  silentAfter: number;
  /** Ports that have a `silentAfter` of their own, whatever address it is on. */
  ports?: readonly Pick<StaticPort, 'protocol' | 'port' | 'silentAfter'>[];
}

/** `4711:123456`: pid and start time. */
export function processKey({ process }: Pick<Subject, 'process'>): string {
  return `${process.pid}:${process.startTicks}`;
}

/** Inodes of the sockets that serve a listener. */
export function inodesAt({ listeners, serving }: Subject, key: string): string {
  const index = listeners.findIndex((one) => endpointKey(one) === key);
  return (serving[index] ?? []).map(({ inode }) => inode).join(',');
}

/** Entries by the listener that they count for; several of one listener share its socket. */
export function byKey(
  entries: readonly EntryFigures[],
  { listeners }: Pick<Subject, 'listeners'>,
  devices: Readonly<Record<string, string>>,
): Map<string, EntryFigures[]> {
  const found = new Map<string, EntryFigures[]>();
  for (const entry of entries) {
    const device = entry.device ?? devices[idKey(entry.id)];
    const endpoint = device === undefined ? undefined : endpointOfDevice(device);
    if (endpoint === undefined) continue;
    const protocol = isDatagrams(entry.type) && !device!.startsWith('tcp://') ? 'udp' : 'tcp';
    const onPort = listeners.filter(
      (one) => one.protocol === protocol && one.port === endpoint.port && one.input !== 'http',
    );
    const listener =
      onPort.find(({ address }) => address === endpoint.address) ?? (onPort.length === 1 ? onPort[0] : undefined);
    if (listener === undefined) continue;
    const key = endpointKey(listener);
    found.set(key, [...(found.get(key) ?? []), entry]);
  }
  return found;
}

/** Ids are only compared: what is kept of one is this. */
export function idKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 16);
}

const isDatagrams = (type: string | undefined) => type === undefined || type === 'udp' || type === 'netflow';

/**
 * Where an input listens, as it is kept: an address or `name`, a port, and what tells TCP from UDP (a log line names the input's
 * type once, after its start).
 */
export function deviceOf({ type, device }: Pick<EntryFigures, 'type' | 'device'>): string | undefined {
  const endpoint = device === undefined ? undefined : endpointOfDevice(device);
  if (endpoint === undefined) return undefined;
  const address =
    endpoint.address === '*' ? '' : /^[\d.]+$|^[\da-f:.]+$/i.test(endpoint.address) ? endpoint.address : 'name';
  const host = address.includes(':') ? `[${address}]` : address;
  return `${isDatagrams(type) && !device!.startsWith('tcp://') ? '' : 'tcp://'}${host}:${endpoint.port}`;
}

/** Up to 8.14 a refused request shows in no counter but the unanswered events. */
export function leaksOf(release: string | undefined): boolean {
  return release !== undefined && !isAtLeast(release, '8.15.0');
}

/** An unknown release counts as recent. */
export function isAtLeast(release: string | undefined, least: string): boolean {
  const version = release === undefined ? undefined : parseRelease(release);
  return version === undefined || compareReleases(version, parseRelease(least)!) >= 0;
}
