/**
 * A machine (`systemd.ts`) with root's Filebeat, a hostile ordinary user, and the exporter with exactly its two
 * capabilities, for `hostile/trust-*.test.ts`.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codesOf } from './lifecycle.js';
import { getInside, scrapeMachine } from './machine-exporter.js';
import { bindingInput, installFilebeat, program } from './machine-filebeat.js';
import { boot, type Machine } from './systemd.js';
import type { Scrape } from './text-format.js';

export const EVE = 4242;
const EXPORTER = 65_432;
const top = fileURLToPath(new URL('../../../', import.meta.url));

export interface Trial {
  readonly machine: Machine;
  /** `core` in one line: up, ports and mismatches. */
  victim(name?: string): string;
  scrape(): Scrape;
  status(): {
    instances: Record<string, unknown>[];
    mismatches: Record<string, unknown>[];
    gaps: Record<string, unknown>[];
  };
  /** Starts `argv` in the background with these sockets, as this user, with this prefix. Returns its pid. */
  start(options: {
    argv?: string[];
    sockets?: string[];
    uid?: number;
    before?: string;
    program?: string;
    group?: string;
  }): number;
  kill(...pids: number[]): void;
  /** Restarts the exporter, by default with an empty state file. */
  exporter(options?: ExporterSetup): void;
  end(): Promise<void>;
}

/** `through`: a command prefix. `group`: the control group to put it into. */
export interface ExporterSetup {
  keep?: boolean;
  settings?: string;
  flags?: string;
  through?: string;
  group?: string;
}

/** Arguments of root's own Filebeat: main file, data, home. */
export const coreArgv = [
  'filebeat',
  '-c',
  '/etc/filebeat/core.yml',
  '--path.home',
  '/usr/share/filebeat',
  '--path.data',
  '/var/lib/filebeat',
];
export const coreSockets = ['udp 127.0.0.1:9001', 'tcp 127.0.0.1:9002'];
const config = `filebeat.inputs:
- {type: udp, host: "127.0.0.1:9001"}
- {type: tcp, host: "127.0.0.1:9002"}
output.console: {enabled: true}
`;
const enterGroup = (group: string) => `mkdir -p ${group}; echo 0 >${group}/cgroup.procs;`;
const caps = '-all,+sys_ptrace,+dac_read_search';

export async function openTrial(): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'trust-'));
  execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'bundle'], { stdio: 'pipe' });
  const machine = await boot();
  machine.write('/opt/exporter.mjs', readFileSync(join(folder, 'filebeat-port-exporter.mjs')));
  rmSync(folder, { recursive: true, force: true });
  installFilebeat(machine);
  machine.sh(`
    chmod 755 ${program}
    mkdir -p /etc/filebeat /var/lib/filebeat /srv/inputs /var/lib/exporter
    chown ${EXPORTER} /var/lib/exporter
    grep -q eve /etc/passwd || echo 'eve:x:${EVE}:${EVE}::/home/eve:/bin/sh' >>/etc/passwd
    mkdir -p /home/eve && chown ${EVE}:${EVE} /home/eve`);
  machine.write('/etc/filebeat/core.yml', config, 0o600);
  let serial = 0;
  let served = 0;

  const start: Trial['start'] = ({
    argv = coreArgv,
    sockets = [],
    uid = 0,
    before = '',
    program: file = program,
    group,
  }) => {
    const input = `/srv/inputs/${++serial}`;
    machine.write(input, bindingInput(sockets));
    const [name = '', ...rest] = argv;
    const words = rest.map((word) => `'${word}'`).join(' ');
    const who = uid === 0 ? '' : `setpriv --reuid ${uid} --regid ${uid} --clear-groups`;
    const enter = group === undefined ? '' : enterGroup(group);
    const script = `${enter} exec ${before} ${who} bash -c 'exec -a ${name} ${file} ${words.replaceAll("'", '"')}'`;
    return Number(machine.sh(`(${script}) <${input} >/dev/null 2>&1 & echo $!`));
  };
  const exporter: Trial['exporter'] = ({ keep = false, settings = '', flags = '', through = '', group } = {}) => {
    if (served > 0) machine.try(`kill ${served}; while kill -0 ${served} 2>/dev/null; do sleep 0.05; done`);
    if (!keep) machine.sh('rm -f /var/lib/exporter/*');
    machine.write('/srv/settings.yml', settings);
    served = Number(
      machine.sh(`(${group === undefined ? '' : enterGroup(group)} exec ${through} setpriv --reuid ${EXPORTER} --regid ${EXPORTER} --clear-groups --inh-caps=${caps} --ambient-caps=${caps} \\
        --bounding-set=${caps} node /opt/exporter.mjs serve --web.listen-address=127.0.0.1:9117 --scan.freshness=0s \\
        --scan.grace=0s --config.file=/srv/settings.yml --state.file=/var/lib/exporter/state.json ${flags}) >/srv/log 2>&1 & echo $!`),
    );
  };
  const scrape = () => scrapeMachine(machine);
  return {
    machine,
    start,
    exporter,
    scrape,
    status: () => JSON.parse(getInside(machine, 'http://127.0.0.1:9117/api/v1/status').body),
    victim(name = 'core') {
      const told = scrape();
      const [up] = told.all('filebeat_instance_up', { name });
      if (up === undefined) return 'absent';
      const ports = told
        .all('filebeat_port_up', { name })
        .map(({ labels, value }) => ` ${labels.get('protocol')}/${labels.get('port')}=${value}`);
      return `up=${up.value}${ports.join('')} ${codesOf(told, name).join(',')}`.trim();
    },
    kill(...pids) {
      if (pids.length === 0) return;
      machine.sh(
        `kill -9 ${pids.join(' ')} 2>/dev/null || true
        for pid in ${pids.join(' ')}; do while [ -e /proc/$pid ] && ! grep -q '^State:.Z' /proc/$pid/status; do sleep 0.02; done; done`,
      );
    },
    async end() {
      await machine.stop();
    },
  };
}
