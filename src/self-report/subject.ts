/** One running instance as its self-report needs it, and to which of its listeners the counters of an input belong. Pure. */
import { createHash } from 'node:crypto';
import { compareReleases, parseRelease } from '../filebeat/releases/releases.js';
import { endpointKey } from '../model/endpoint.js';
import type { Listener, ProcessId, Socket, StaticPort } from '../model/model.js';
import { type EntryFigures, endpointOfDevice } from './pipeline-figures.js';

/** Where a stats endpoint listens: a socket that the process itself holds. */
export type StatsSocket =
  /** Only in the exporter's own network namespace. `address`: that of the socket, never the configured name. */
  | { kind: 'tcp'; address: string; port: number; inode: number }
  /** `path`: as the process sees it. */
  | { kind: 'unix'; path: string };

/** One running instance, as far as its self-report needs it. */
export interface Subject {
  /** `Instance.id`. */
  id: string;
  name: string;
  process: ProcessId & { startTime: number };
  /** It has the host's root. */
  onHost?: boolean;
  /** `path.logs` and `path.data`, as it sees them. */
  logs: string;
  data: string;
  release?: string;
  listeners: readonly Listener[];
  /** For each of `listeners`, the sockets of the process that serve it. */
  serving: readonly (readonly Socket[])[];
  stats?: StatsSocket;
}

export interface SelfReportRules {
  logs: boolean;
  http: boolean;
  /** Seconds; 0 = never. */
  silentAfter: number;
  /** Ports with their own `silentAfter`, at any address. */
  ports?: readonly Pick<StaticPort, 'protocol' | 'port' | 'silentAfter'>[];
}

/** Inodes of the sockets that serve a listener. */
export function inodesAt({ listeners, serving }: Subject, key: string): string {
  const index = listeners.findIndex((one) => endpointKey(one) === key);
  return (serving[index] ?? []).map(({ inode }) => inode).join(',');
}

/** Endpoint key → the entries that count for that listener; several inputs can share one socket. `devices`: see `StoredReport`. */
export function byKey(
  entries: readonly EntryFigures[],
  { listeners }: Pick<Subject, 'listeners'>,
  devices: Readonly<Record<string, string>>,
): Map<string, EntryFigures[]> {
  const result = new Map<string, EntryFigures[]>();
  for (const entry of entries) {
    const device = entry.device ?? devices[idKey(entry.id)];
    const endpoint = device === undefined ? undefined : endpointOfDevice(device);
    if (endpoint === undefined) continue;
    const protocol = protocolOf(entry.type, device!);
    const onPort = listeners.filter(
      (one) => one.protocol === protocol && one.port === endpoint.port && one.input !== 'http',
    );
    const listener =
      onPort.find(({ address }) => address === endpoint.address) ?? (onPort.length === 1 ? onPort[0] : undefined);
    if (listener === undefined) continue;
    const key = endpointKey(listener);
    result.set(key, [...(result.get(key) ?? []), entry]);
  }
  return result;
}

/** A digest of an input's id: ids are only compared, and not stored as text. */
export function idKey(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 16);
}

function protocolOf(type: string | undefined, device: string): 'udp' | 'tcp' {
  const isDatagrams = type === undefined || type === 'udp' || type === 'netflow';
  return isDatagrams && !device.startsWith('tcp://') ? 'udp' : 'tcp';
}

/**
 * Where an input listens, in the form that is stored: address or `name`, port, and `tcp://` for TCP, since the log names the
 * type of an input only once, after the start.
 */
export function deviceOf({ type, device }: Pick<EntryFigures, 'type' | 'device'>): string | undefined {
  const endpoint = device === undefined ? undefined : endpointOfDevice(device);
  if (endpoint === undefined) return undefined;
  const address =
    endpoint.address === '*' ? '' : /^[\d.]+$|^[\da-f:.]+$/i.test(endpoint.address) ? endpoint.address : 'name';
  const host = address.includes(':') ? `[${address}]` : address;
  return `${protocolOf(type, device!) === 'udp' ? '' : 'tcp://'}${host}:${endpoint.port}`;
}

/** Up to 8.14 a refused request shows only in the number of unanswered events, which leaks. */
export function leaksOf(release: string | undefined): boolean {
  return release !== undefined && !isAtLeast(release, '8.15.0');
}

/** An unknown release counts as recent. */
export function isAtLeast(release: string | undefined, least: string): boolean {
  const version = parseRelease(release);
  return version === undefined || compareReleases(version, parseRelease(least)!) >= 0;
}
