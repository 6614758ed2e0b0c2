/**
 * A host for a test: a root directory with unit files and configurations, and Filebeats with it as their root. An exporter
 * with `--path.rootfs` of that directory sees them, their units and configurations as the host's.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'node:test';
import type { Exporter } from './exporter.js';
import { startExporter } from './exporter.js';
import { type StandIn, type StandInOptions, startStandIn } from './stand-in.js';
import type { Scrape } from './text-format.js';
import { udpConfig } from './world.js';

export interface OwnHost {
  readonly root: string;
  readonly stateFile: string;
  /** `--path.rootfs`, `--state.file`. */
  readonly flags: string[];
  /** Writes a file at an absolute path inside the root; `age`: in seconds. */
  write(path: string, text: string, age?: number): void;
  remove(path: string): void;
  /** Writes `/etc/filebeat/NAME.yml` with a udp input for each host. */
  configure(name: string, hosts: readonly string[], age?: number): void;
  /** The files of `systemctl enable UNIT`; the unit is a template unless it was written by hand. */
  enable(unit: string): void;
  /** Starts the process of `filebeat@NAME` with its lock file and these sockets. */
  start(name: string, sockets: readonly string[], options?: Partial<StandInOptions>): Promise<StandIn>;
  /** Starts an exporter with this root and state file. */
  exporter(...flags: string[]): Promise<Exporter>;
  state(): string | undefined;
  end(): Promise<void>;
}

/** A name that a concurrent run of the same tests does not use. */
export const own = (name: string): string => `${name}-${process.pid}`;

/** The command line of the packages' unit, with the instance name in both paths. */
export const argvOf = (name: string): string[] => [
  '/usr/share/filebeat/bin/filebeat',
  ...['--environment', 'systemd', '-c', `/etc/filebeat/${name}.yml`],
  ...['--path.home', '/usr/share/filebeat', '--path.config', '/etc/filebeat'],
  ...['--path.data', `/var/lib/filebeat-${name}`, '--path.logs', '/var/log/filebeat'],
];

const template = `[Service]
ExecStart=${argvOf('%i').join(' ')}
Restart=always
[Install]
WantedBy=multi-user.target
`;

export function createHost(): OwnHost {
  const root = mkdtempSync(join(tmpdir(), 'host-'));
  const stateFile = join(root, 'var/lib/exporter/state.json');
  const flags = [`--path.rootfs=${root}`, '--path.unchecked', `--state.file=${stateFile}`];
  const running = new Set<{ stop(): Promise<void> }>();
  const write = (path: string, text: string, age = 0) => {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text, { mode: 0o600 });
    const then = Date.now() / 1000 - age;
    if (age > 0) utimesSync(full, then, then);
  };
  for (const path of ['/etc/hosts', '/etc/services', '/etc/passwd'])
    write(path, '127.0.0.1 localhost\n'.repeat(path === '/etc/hosts' ? 1 : 0));
  // The program of its units: without it systemd could not start them.
  write('/usr/share/filebeat/bin/filebeat', '\u007fELF');
  chmodSync(join(root, '/usr/share/filebeat/bin/filebeat'), 0o755);
  return {
    root,
    stateFile,
    flags,
    write,
    remove: (path) => rmSync(join(root, path)),
    configure: (name, hosts, age) => write(`/etc/filebeat/${name}.yml`, udpConfig(hosts), age),
    enable(unit) {
      const file = unit.replace(/@.*\./, '@.');
      const folder = '/etc/systemd/system';
      if (!existsSync(join(root, folder, file))) write(`${folder}/${file}`, template);
      mkdirSync(join(root, folder, 'multi-user.target.wants'), { recursive: true });
      symlinkSync(`../${file}`, join(root, folder, 'multi-user.target.wants', unit));
    },
    async start(name, sockets, options = {}) {
      write(`/var/lib/filebeat-${name}/filebeat.lock`, '');
      write(`/var/lib/filebeat-${name}/meta.json`, '{}');
      const one = await startStandIn({ argv: argvOf(name), root, sockets, mayFail: true, ...options });
      running.add(one);
      return one;
    },
    async exporter(...more) {
      const one = await startExporter([...flags, ...more]);
      const stop = async (signal?: NodeJS.Signals) => {
        if (running.delete(stoppable)) await one.stop(signal);
      };
      const stoppable = { ...one, stop };
      running.add(stoppable);
      return stoppable;
    },
    state: () => (existsSync(stateFile) ? readFileSync(stateFile, 'utf8') : undefined),
    async end() {
      await Promise.all([...running].map((one) => one.stop()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The metrics of one instance for alerts: `up=0 pid= udp *:9000=0`, with ports in order. */
export function healthOf(scrape: Scrape, name: string): string {
  const [up] = scrape.all('filebeat_instance_up', { name });
  if (up === undefined) return 'absent';
  const ports = scrape.all('filebeat_port_up', { name }).map(({ labels, value }) => {
    const [protocol, address, port, pid] = ['protocol', 'address', 'port', 'pid'].map((label) => labels.get(label));
    return ` ${protocol} ${address}:${port}=${value}${pid === up.labels.get('pid') ? '' : ` under pid ${pid}`}`;
  });
  return `up=${up.value} pid=${up.labels.get('pid')}${ports.join('')}`;
}

/** Makes hosts for the tests of a file, and ends them after each test. */
export function ownHosts(): () => OwnHost {
  const hosts: OwnHost[] = [];
  afterEach(() => Promise.all(hosts.splice(0).map((host) => host.end())));
  return () => {
    const host = createHost();
    hosts.push(host);
    return host;
  };
}

export function codesOf(scrape: Scrape, name: string): string[] {
  const standing = scrape.all('filebeat_mismatch', { name }).filter(({ value }) => value === 1);
  return [...new Set(standing.map(({ labels }) => labels.get('code')!))].sort();
}
