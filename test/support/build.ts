/** Builders for tests of correlate: cases state only the values that matter. */
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory, nextScanHistory, type ScanHistory } from '../../src/correlate/scan-history.js';
import type { Thresholds } from '../../src/correlate/verdict-context.js';
import { resolveHost } from '../../src/filebeat/net/address.js';
import type {
  FilebeatProcess,
  Instance,
  Listener,
  Mismatch,
  Owner,
  Prediction,
  Snapshot,
  Socket,
  Verdict,
} from '../../src/model/model.js';

export const now = 1_700_000_000;
export const hostNetns = 4_026_531_840;

const names = {
  hosts: (name: string) => (name.toLowerCase() === 'localhost' ? ['127.0.0.1'] : []),
  service: () => undefined,
};

/** `listener('0.0.0.0:9000')`, declared in line 3 of the instance's file. */
export function listener(host: string, rest: Partial<Listener> = {}): Listener {
  const protocol = rest.protocol ?? 'udp';
  return {
    protocol,
    ...resolveHost(host, protocol, 'any', names),
    input: protocol,
    declaredIn: { file: '/etc/filebeat/filebeat.yml', line: 3 },
    retry: 'never',
    ...rest,
  };
}

export function process(pid: number, rest: Partial<FilebeatProcess> = {}): FilebeatProcess {
  return {
    pid,
    startTicks: pid * 100,
    startTime: now - 3600,
    comm: 'filebeat',
    uid: 0,
    executableDeleted: false,
    netns: hostNetns,
    hostNetns: true,
    canBindPrivileged: true,
    openFds: 12,
    ...rest,
  };
}

export function prediction(listeners: Listener[], rest: Partial<Prediction> = {}): Prediction {
  const paths = {
    home: '/usr/share/filebeat',
    config: '/etc/filebeat',
    data: '/var/lib/filebeat',
    logs: '/var/log/filebeat',
  };
  return {
    outcome: 'runs',
    listeners,
    faults: [],
    files: [],
    mainFiles: ['/etc/filebeat/filebeat.yml'],
    release: { version: '8.19.21', source: 'readme' },
    paths,
    gaps: [],
    ...rest,
  } as Prediction;
}

/** `instance('core', 4711, [listener(':9000')])`; pid undefined: down. */
export function instance(
  name: string,
  pid: number | undefined,
  listeners: Listener[],
  rest: Partial<Instance> = {},
): Instance {
  return {
    id: `id-${name}`,
    name,
    config: `/etc/filebeat/${name}.yml`,
    origins: pid === undefined ? ['remembered'] : ['process'],
    ...(pid === undefined ? {} : { process: process(pid) }),
    prediction: prediction(listeners),
    expected: listeners,
    basis: 'disk',
    pendingRestart: false,
    lastSeen: now - 60,
    restarts: 0,
    ...rest,
  };
}

/** `socket('[::]:9000', 4711)`: owners by pid, with the start time of `process`; inode from port and owner. */
export function socket(endpoint: string, owners: number | number[], rest: Partial<Socket> = {}): Socket {
  const cut = endpoint.lastIndexOf(':');
  const address = endpoint.slice(0, cut).replace(/^\[|\]$/g, '');
  const port = Number(endpoint.slice(cut + 1));
  const pids = typeof owners === 'number' ? [owners] : owners;
  return {
    protocol: 'udp',
    family: address.includes(':') ? 6 : 4,
    address,
    port,
    netns: hostNetns,
    inode: port * 10 + (pids[0] ?? 0),
    uid: 0,
    receiveQueue: 0,
    drops: 0,
    owners: pids.map((pid): Owner => ({ pid, startTicks: pid * 100, comm: 'filebeat' })),
    ownersKnown: true,
    ...rest,
  };
}

export function snapshot(instances: Instance[], sockets: Socket[], rest: Partial<Snapshot> = {}): Snapshot {
  return {
    takenAt: now,
    durationSeconds: 0.01,
    usable: true,
    host: { hostname: 'loghost', bootTime: now - 86_400, ipv6: true, rmemMax: 212_992, rmemDefault: 212_992 },
    instances,
    sockets,
    namespaces: [
      { netns: hostNetns, host: true, addresses: ['127.0.0.0/8', '::1', '192.0.2.10'], unprivilegedPortStart: 1024 },
    ],
    statics: [],
    gaps: [],
    undecided: [],
    tableReads: 4,
    fullFdScans: 0,
    ...rest,
  };
}

export const thresholds: Thresholds = { receiveQueueRatio: 0.8, grace: 10, isSingleScan: false };

export function judge(shot: Snapshot, trail: ScanHistory = emptyScanHistory, limits: Thresholds = thresholds): Verdict {
  return correlate(shot, trail, limits);
}

/** Several scans in a row, like a server. */
export function judgeInTurn(shots: Snapshot[]): Verdict[] {
  let trail = emptyScanHistory;
  return shots.map((shot) => {
    const verdict = correlate(shot, trail, thresholds);
    trail = nextScanHistory(trail, shot, verdict, thresholds.grace);
    return verdict;
  });
}

/** `port_missing core udp 127.0.0.1:9000 bind-failed`: a mismatch in one line. */
export function line(m: Mismatch): string {
  const endpoint = m.protocol === undefined ? '' : ` ${m.protocol} ${m.address}:${m.port ?? ''}`;
  return `${m.code}${m.name === undefined ? '' : ` ${m.name}`}${endpoint} ${m.cause.kind}`;
}
