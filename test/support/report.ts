/** Builders of Reports: a situation in a few lines, with defaults for everything else. */

import type {
  Instance,
  InstanceVerdict,
  Listener,
  Mismatch,
  PortVerdict,
  Report,
  Snapshot,
  Socket,
} from '../../src/model/model.js';
import { emptyHistory, nextHistory } from '../../src/report/history.js';
import { emptyJournal, nextJournal } from '../../src/report/journal.js';

export const takenAt = 1_790_000_000;
export const hostNetns = 4026531840;

/** Names that try to break labels, HTML, terminals and tables. */
export const hostileNames = {
  html: '<script>alert(1)</script>"\'&',
  ansi: '\u001b[31mred\u001b[0m\u0007\u009b2J',
  rightToLeft: '\u202egpj.exe\u2066\u202d',
  lines: 'two\nlines\r\tand a \\ backslash "quote"',
  long: 'x'.repeat(4096),
  emoji: '👩‍🚀 žlutý',
} as const;

export function listener(port: number | undefined, over: Partial<Listener> = {}): Listener {
  return {
    protocol: 'udp',
    address: '*',
    ...(port === undefined ? {} : { port }),
    target: { kind: 'socket', family: 6, address: '::', port: port ?? 0, serves: 'any' },
    input: 'udp',
    declaredIn: { file: '/etc/filebeat/filebeat.yml', line: 4 },
    retry: 'never',
    ...over,
  };
}

export function socket(port: number, over: Partial<Socket> = {}): Socket {
  return {
    protocol: 'udp',
    family: 6,
    address: '::',
    port,
    netns: hostNetns,
    inode: 50_000 + port,
    uid: 0,
    receiveQueue: 0,
    drops: 0,
    owners: [{ pid: 100, startTicks: 5000, comm: 'filebeat' }],
    ownersKnown: true,
    ...over,
  };
}

/** A port, served by default. */
export function port(number: number | undefined, over: Partial<PortVerdict> = {}): PortVerdict {
  const listeners = over.listeners ?? [
    listener(number, {
      ...(over.protocol === undefined ? {} : { protocol: over.protocol }),
      ...(over.address === undefined ? {} : { address: over.address }),
      ...(over.input === undefined ? {} : { input: over.input }),
    }),
  ];
  const served = over.status === undefined || over.status === 'listening';
  return {
    protocol: 'udp',
    address: '*',
    ...(number === undefined ? {} : { port: number }),
    input: 'udp',
    listeners,
    status: 'listening',
    ...(served ? { up: true, socket: socket(number ?? 0), dropsTotal: 0, receiveBuffer: 212_992 } : {}),
    ...over,
  };
}

export function instance(name: string, over: Partial<Instance> = {}): Instance {
  return {
    id: `/|${name}`,
    name,
    config: `/etc/filebeat/${name}.yml`,
    origins: ['process'],
    prediction: {
      outcome: 'runs',
      listeners: [],
      faults: [],
      files: [{ path: `/etc/filebeat/${name}.yml`, role: 'main', mtime: takenAt - 86_400, reloaded: false }],
      release: { version: '8.19.21', source: 'readme' },
      paths: {
        home: '/usr/share/filebeat',
        config: '/etc/filebeat',
        data: `/var/lib/${name}`,
        logs: '/var/log/filebeat',
      },
      gaps: [],
    },
    expected: [],
    basis: 'disk',
    pendingRestart: false,
    lastSeen: takenAt,
    restarts: 0,
    ...over,
  };
}

export function running(name: string, pid = 100, over: Partial<Instance> = {}): Instance {
  return instance(name, {
    process: {
      pid,
      startTicks: 5000,
      startTime: takenAt - 3600,
      comm: 'filebeat',
      uid: 0,
      executable: '/usr/share/filebeat/bin/filebeat',
      executableDeleted: false,
      cwd: '/',
      netns: hostNetns,
      hostNetns: true,
      cpuSeconds: 12.5,
      residentBytes: 104_857_600,
      openFds: 21,
      maxFds: 1024,
    },
    ...over,
  });
}

export interface Situation {
  snapshot?: Partial<Snapshot>;
  /** A report of instances with their ports and differences in their verdict. */
  instances?: { is: Instance; ports?: PortVerdict[]; verdict?: Partial<InstanceVerdict> }[];
  mismatches?: Mismatch[];
  statics?: Report['verdict']['statics'];
}

export function report(situation: Situation = {}): Report {
  const entries = situation.instances ?? [];
  return {
    snapshot: {
      takenAt,
      durationSeconds: 0.0042,
      usable: true,
      host: { hostname: 'log1', bootTime: takenAt - 864_000, ipv6: true, rmemMax: 212_992, rmemDefault: 212_992 },
      instances: entries.map((e) => ({ ...e.is, expected: (e.ports ?? []).flatMap((p) => p.listeners) })),
      sockets: entries.flatMap((e) => (e.ports ?? []).flatMap((p) => (p.socket === undefined ? [] : [p.socket]))),
      namespaces: [
        {
          netns: hostNetns,
          host: true,
          counters: { inDatagrams: 1000, noPorts: 3, inErrors: 2, receiveBufferErrors: 1 },
        },
      ],
      statics: [],
      gaps: [],
      undecided: [],
      tableReads: 2,
      fullFdScans: 0,
      ...situation.snapshot,
    },
    verdict: {
      instances: entries.map((e) => {
        const ports = e.ports ?? [];
        const up = e.is.process !== undefined;
        return {
          id: e.is.id,
          up,
          healthy: up && ports.every((p) => p.up !== false),
          configValid: true,
          pendingRestart: false,
          ports,
          ...e.verdict,
        };
      }),
      mismatches: situation.mismatches ?? [],
      statics: situation.statics ?? [],
    },
  };
}

/** Three Filebeats, two in trouble: a taken port, a missing one, and a down instance. */
export function troubled(): Report {
  const core = running('core', 100, { unit: 'filebeat@core.service', origins: ['process', 'systemd'] });
  const edge = running('edge', 200);
  const lab = instance('lab', { unit: 'filebeat@lab.service', origins: ['systemd', 'remembered'], lastEnd: 'crash' });
  const thief = { pid: 4711, startTicks: 9000, comm: 'rsyslogd' };
  const asked = (name: string, number: number) => [
    listener(number, { declaredIn: { file: `/etc/filebeat/${name}.yml`, line: 12 } }),
  ];
  const stolen = port(514, {
    up: false,
    status: 'taken',
    socket: socket(514, { owners: [thief] }),
    listeners: asked('edge', 514),
  });
  const missing = port(9001, {
    up: false,
    status: 'missing',
    listeners: asked('core', 9001),
  });
  const down = port(9002, { up: false, status: 'instance_down', listeners: asked('lab', 9002) });
  const about = (name: string, number: number) => ({
    name,
    config: `/etc/filebeat/${name}.yml`,
    protocol: 'udp' as const,
    address: '*',
    port: number,
    input: 'udp',
    declaredIn: { file: `/etc/filebeat/${name}.yml`, line: 12 },
    since: takenAt - 90,
  });
  return report({
    instances: [
      { is: core, ports: [port(9000), missing, port(9003, { protocol: 'tcp', input: 'tcp' })] },
      { is: edge, ports: [stolen] },
      { is: lab, ports: [down] },
    ],
    mismatches: [
      {
        code: 'instance_down',
        name: 'lab',
        config: '/etc/filebeat/lab.yml',
        unit: 'filebeat@lab.service',
        cause: { kind: 'not-running', origin: 'systemd', end: 'crash' },
        since: takenAt - 7200,
      },
      {
        code: 'port_missing',
        ...about('core', 9001),
        pid: 100,
        unit: 'filebeat@core.service',
        cause: { kind: 'bind-failed', retry: 'never' },
      },
      {
        code: 'port_taken',
        ...about('edge', 514),
        pid: 200,
        cause: { kind: 'held-by', retry: 'never', owner: thief, headStart: -3510 },
      },
    ],
    statics: [
      { port: 6984, protocol: 'udp', up: true, sockets: 1, owner: { pid: 55, startTicks: 1, comm: 'nc' } },
      { port: 618, protocol: 'udp', up: false, sockets: 0, process: 'filebeat' },
    ],
    snapshot: { gaps: [{ reason: 'denied', subject: '/proc/77/fd', detail: 'permission denied' }] },
  });
}

/** `instances` running instances with `ports` ports each, of which the first `broken` are missing. */
export function many(instances: number, ports: number, broken = 0): Report {
  const mismatches: Mismatch[] = [];
  let left = broken;
  const entries = Array.from({ length: instances }, (_, i) => {
    const is = running(`core-${i}`, 1000 + i);
    const owner = { pid: 1000 + i, startTicks: 5000, comm: 'filebeat' };
    return {
      is,
      ports: Array.from({ length: ports }, (_, j) => {
        const number = 10_000 + ((i * ports + j) % 50_000);
        const listeners = [listener(number, { declaredIn: { file: is.config, line: 10 + j } })];
        if (left-- > 0) {
          mismatches.push({
            code: 'port_missing',
            name: is.name,
            config: is.config,
            pid: owner.pid,
            protocol: 'udp',
            address: '*',
            port: number,
            input: 'udp',
            declaredIn: { file: is.config, line: 10 + j },
            cause: { kind: 'bind-failed', retry: 'never' },
            since: takenAt - 60,
          });
          return port(number, { up: false, status: 'missing', listeners });
        }
        return port(number, { listeners, socket: socket(number, { owners: [owner] }) });
      }),
    };
  });
  return report({ instances: entries, mismatches });
}

/** `troubled` after forty minutes of scans: a port was taken, another lost, an instance died, one port drops sometimes. */
export function watched(): Report {
  const end = troubled();
  let [history, journal] = [emptyHistory, emptyJournal];
  let last: Report | undefined;
  for (let minute = 40; minute >= 0; minute -= 0.5) {
    const r = structuredClone(end);
    r.snapshot.takenAt = takenAt - minute * 60;
    const [core, edge, lab] = r.verdict.instances as [InstanceVerdict, InstanceVerdict, InstanceVerdict];
    const served = (verdict: InstanceVerdict, at: number, number: number) => {
      verdict.ports[at] = { ...port(number), protocol: verdict.ports[at]!.protocol };
    };
    if (minute > 1.5) served(core, 1, 9001);
    if (minute > 1.5) served(edge, 0, 514);
    if (minute > 12) {
      served(lab, 0, 9002);
      lab.up = true;
      r.snapshot.instances[2] = { ...r.snapshot.instances[2]!, process: running('lab', 300).process! };
    }
    if (minute > 33) r.snapshot.instances[0]!.process!.pid = 90;
    if (minute < 20)
      r.snapshot.instances[1]!.prediction.files = r.snapshot.instances[1]!.prediction.files.map((f) => ({
        ...f,
        mtime: takenAt - 1200,
      }));
    const busy = minute > 22 && minute < 27;
    const first = core.ports[0]!;
    const lost = Math.round(Math.max(0, 27 - Math.max(22, minute)) * 45);
    core.ports[0] = {
      ...first,
      dropsTotal: lost,
      dropsRecent: busy ? lost : 0,
      socket: { ...first.socket!, receiveQueue: busy ? 200_000 : minute > 20 && minute < 30 ? 90_000 : 12_000 },
    };
    history = nextHistory(history, r);
    journal = nextJournal(journal, last, r);
    last = { ...r, history, journal };
  }
  return last!;
}
