/** The sandbox of the unit on a real systemd must not change the output. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/live.js';
import { scrapeMachine } from '../support/machine-exporter.js';
import { bindingInput, installFilebeat, program } from '../support/machine-filebeat.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';
import { readScrape, type Scrape } from '../support/text-format.js';
import { udpConfig } from '../support/world.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const name = 'filebeat-port-exporter';

/** Folders with configurations, and settings that a service may have. */
const places: Record<string, { folder: string; settings?: string }> = {
  etc: { folder: '/etc/filebeat' },
  home: { folder: '/home/ops/filebeat' },
  root: { folder: '/root/filebeat' },
  temporary: { folder: '/tmp/filebeat' },
  lasting: { folder: '/var/tmp/filebeat' },
  shared: { folder: '/dev/shm/filebeat' },
  run: { folder: '/run/user/0/filebeat' },
  hidden: {
    folder: '/etc/hidden',
    settings: 'PrivateTmp=yes\nProtectSystem=strict\nProtectHome=tmpfs\nPrivateDevices=yes',
  },
  dynamic: { folder: '/etc/dynamic', settings: 'DynamicUser=yes\nStateDirectory=dynamic' },
  alone: { folder: '/etc/alone', settings: 'PrivateNetwork=yes' },
};

function unitOf(one: string, folder: string, settings = ''): string {
  return `[Service]
ExecStart=${program} -c ${folder}/${one}.yml --path.home /usr/share/filebeat --path.data /var/lib/${one}
StandardInput=file:/srv/sockets/${one}
${settings}
[Install]
WantedBy=multi-user.target
`;
}

/** The metrics for alerts, without values that change with each scan. */
function said(scrape: Scrape): string[] {
  const telling =
    /^filebeat_(instance_(up|healthy|info|config_valid|expected_ports|up_ports)|port_up|port_info|mismatch|port_exporter_gaps)$/;
  return scrape.series.filter((one) => telling.test(one.name)).map((one) => `${one.key} ${one.value}`);
}

describe('the sandbox of the unit', needsSystemd, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  let machine: Machine;
  before(async () => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'bundle'], { stdio: 'pipe' });
    machine = await boot();
    machine.write(`/usr/local/bin/${name}`, readFileSync(join(folder, `${name}.mjs`)), 0o755);
    for (const file of ['service', 'sysusers.conf'])
      machine.write(`/srv/${name}.${file}`, readFileSync(join(top, `examples/systemd/${name}.${file}`)));
    installFilebeat(machine);
    for (const [index, [one, { folder: at, settings }]] of Object.entries(places).entries()) {
      const hosts = [`127.0.0.1:${9000 + index}`];
      machine.write(`${at}/${one}.yml`, udpConfig(hosts), 0o644);
      machine.write(`/srv/sockets/${one}`, bindingInput(hosts.map((host) => `udp ${host}`)));
      machine.write(`/etc/systemd/system/${one}.service`, unitOf(one, at, settings));
    }
    machine.sh(`
      chmod -R go= /root/filebeat /home/ops/filebeat
      systemctl daemon-reload
      systemctl enable --now ${Object.keys(places).join(' ')}`);
    // As the comment at the top of the unit says, on a system without /etc/sysusers.d.
    const comment = readFileSync(join(top, `examples/systemd/${name}.service`), 'utf8').split('[Unit]')[0]!;
    const commands = [...comment.matchAll(/^# {3}(.*)$/gm)].map(([, command]) => command);
    machine.sh(`rm -rf /etc/sysusers.d; cd /srv; ${commands.join('\n')}`);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });
  const byHand = () => readScrape(`${machine.sh(`${name} metrics --state.file=`)}\n`);

  it('reports the same as root about running Filebeats', async () => {
    scrapeMachine(machine);
    await until('the grace is over', () => byHand().value('filebeat_instance_healthy', { name: 'etc' }) === 1);
    assert.deepEqual(said(scrapeMachine(machine)), said(byHand()));
    for (const one of Object.keys(places))
      assert.equal(byHand().value('filebeat_instance_healthy', { name: one }), 1, one);
  });

  it('reports the same as root about Filebeats that are down', () => {
    machine.sh(`systemctl stop ${Object.keys(places).join(' ')}; systemctl restart ${name}`);
    const sandboxed = scrapeMachine(machine);
    for (const one of Object.keys(places)) assert.equal(sandboxed.value('filebeat_instance_up', { name: one }), 0, one);
    // Without a state file it knows as much as a single scan.
    machine.sh(`systemctl stop ${name}; rm -f /var/lib/${name}/state.json; systemctl start ${name}`);
    assert.deepEqual(said(scrapeMachine(machine)), said(byHand()));
  });

  it('is as restrictive as the documents say', () => {
    const [, documented] = /systemd 252 gives (\d\.\d)/.exec(readFileSync(join(top, 'docs/security.md'), 'utf8'))!;
    const said = machine.sh(`systemd-analyze security --no-pager ${name} | tail -1`);
    assert.ok(said.includes(`exposure level for ${name}.service: ${documented} OK`), said);
  });
});
