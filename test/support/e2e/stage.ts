/** One host of the run before any fault: files, Filebeats, exporter. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Exporter, startExporter } from '../exporter.js';
import { metricsLine } from '../filebeat-log.js';
import { createHost, type OwnHost } from '../lifecycle.js';
import { type StandIn, startStandIn } from '../stand-in.js';
import { addresses, type HostName, type LoggedName, loggedNames, type Name, plainPort, ports } from './plots.js';

const nobody = 65_534;
const withoutPrivileges: readonly HostName[] = ['blinded', 'unprivileged'];

const settings = `discovery:
  learn_after: 1s
ports: [${plainPort}]
self_report: {silent_after: 1s}
thresholds:
  restarts: {count: 3, within: 30s}
`;

const logPath = (name: string) => `/var/log/filebeat/${name}.ndjson`;

/** The log of a Filebeat of that host. */
export const logOf = (host: OwnHost, name: LoggedName): string => join(host.root, logPath(name));

const isLogged = (name: string): name is LoggedName => (loggedNames as readonly string[]).includes(name);

export interface Stage {
  readonly host: OwnHost;
  readonly filebeats: Map<string, StandIn>;
  exporter: Exporter;
  plain?: StandIn;
  /** `:PORT` for each socket. */
  start(name: string, ...sockets: string[]): Promise<StandIn>;
  startPlain(): Promise<void>;
  startExporter(...flags: string[]): Promise<void>;
  /** Makes a file or folder below the root world-readable. */
  open(...paths: string[]): void;
  end(): Promise<void>;
}

export async function setStage(name: HostName): Promise<Stage> {
  const host = createHost();
  const filebeats = new Map<string, StandIn>();
  const uid = withoutPrivileges.includes(name) ? nobody : undefined;

  // With hidepid, only root sees other users' processes.
  const hiddenProc = join(host.root, 'proc');
  if (name === 'blinded') {
    mkdirSync(hiddenProc);
    const mounted = spawnSync('mount', ['-t', 'proc', '-o', 'hidepid=2', 'proc', hiddenProc], { encoding: 'utf8' });
    if (mounted.status !== 0) throw new Error(`a procfs with hidepid cannot be mounted: ${mounted.stderr}`);
  }

  async function startOne(...flags: string[]): Promise<Exporter> {
    const own = [`--path.rootfs=${host.root}`, '--path.unchecked', `--config.file=${join(host.root, 'settings.yml')}`];
    // Without permission to write there, uses a file of its own.
    if (uid === undefined) own.push(`--state.file=${host.stateFile}`);
    if (name === 'blinded') own.push(`--path.procfs=${hiddenProc}`);
    return startExporter([...own, ...flags], { listen: addresses[name], ...(uid === undefined ? {} : { uid }) });
  }

  const open = (...paths: string[]) => {
    for (const path of paths) chmodSync(join(host.root, path), 0o755);
  };
  const start = async (filebeat: string, ...sockets: string[]) => {
    const one = await host.start(
      filebeat,
      sockets.map((socket) => `udp ${socket}`),
      isLogged(filebeat) ? { log: logOf(host, filebeat) } : {},
    );
    filebeats.set(filebeat, one);
    return one;
  };

  host.write('/settings.yml', settings);
  mkdirSync(join(host.root, 'etc/systemd/system'), { recursive: true });
  open('.', 'etc', 'etc/systemd', 'etc/systemd/system', 'settings.yml');
  if (name === 'main') {
    for (const one of Object.keys(ports) as Name[]) host.configure(one, [`:${ports[one]}`]);
    host.write(
      '/etc/filebeat/learned.yml',
      'filebeat.autodiscover.providers:\n  - {type: docker, hints.enabled: true, host: "tcp://docker:2375"}\noutput.console.enabled: true\n',
    );
    // An empty file is not recognised as a log.
    for (const one of loggedNames)
      host.write(logPath(one), `${metricsLine('json', Date.now() / 1000, { active: 0 })}\n`);
    for (const one of Object.keys(ports) as Name[]) await start(one, `:${ports[one]}`);
  } else host.write('/settings.yml', '{}\n');
  if (name === 'rebooted') {
    for (const [unit, port] of [
      ['boots', 9301],
      ['stays-down', 9302],
    ] as const) {
      host.configure(unit, [`:${port}`]);
      host.enable(`filebeat@${unit}.service`);
      await start(unit, `:${port}`);
    }
  }
  const stage: Stage = {
    host,
    filebeats,
    exporter: await startOne(),
    start,
    open,
    async startPlain() {
      stage.plain = await startStandIn({ argv: ['/usr/sbin/syslog-relay'], sockets: [`udp :${plainPort}`] });
    },
    async startExporter(...flags) {
      stage.exporter = await startOne(...flags);
    },
    async end() {
      await stage.exporter.stop().catch(() => undefined);
      await stage.plain?.stop();
      if (name === 'blinded') spawnSync('umount', [hiddenProc]);
      await host.end();
      rmSync(host.root, { recursive: true, force: true });
    },
  };
  if (name === 'main') await stage.startPlain();
  return stage;
}
