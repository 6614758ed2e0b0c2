/** The example service and socket units, and a template unit of Filebeats, under a real systemd. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codesOf, healthOf } from '../support/lifecycle.js';
import { until } from '../support/live.js';
import { scrapeMachine } from '../support/machine-exporter.js';
import { configureFilebeat, installFilebeat, program, templateUnit } from '../support/machine-filebeat.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';
import { udpConfig } from '../support/world.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const name = 'filebeat-port-exporter';
const service = `${name}.service`;
const example = (file: string) => readFileSync(join(top, 'examples/systemd', file), 'utf8');

/** CAP_DAC_READ_SEARCH is the second, CAP_SYS_PTRACE the nineteenth; capabilities(7), linux/capability.h. */
const both = (1 << 2) | (1 << 19);

describe('under systemd', needsSystemd, () => {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  let machine: Machine;
  before(async () => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'bundle'], { stdio: 'pipe' });
    machine = await boot();
    machine.write(`/usr/local/bin/${name}`, readFileSync(join(folder, `${name}.mjs`)), 0o755);
    machine.write(`/usr/lib/sysusers.d/${name}.conf`, example(`${name}.sysusers.conf`));
    for (const unit of [service, `${name}.socket`]) machine.write(`/etc/systemd/system/${unit}`, example(unit));
    machine.sh('systemd-sysusers; systemctl daemon-reload');
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });
  afterEach(() => void machine.sh(`systemctl stop ${name}.socket ${service}; systemctl reset-failed`));

  const property = (unit: string, key: string) => machine.sh(`systemctl show --value --property=${key} ${unit}`);
  it('the unit starts, has exactly two capabilities, answers, and stops cleanly', async () => {
    machine.sh(`systemctl start ${service}`);
    const status = machine.sh(`cat /proc/${property(service, 'MainPID')}/status`);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'])
      assert.equal(Number.parseInt(new RegExp(`^${set}:\\s*(\\w+)$`, 'm').exec(status)![1]!, 16), both, set);
    assert.match(status, /^NoNewPrivs:\s*1$/m);
    assert.match(status, /^Seccomp:\s*2$/m);
    assert.notEqual(/^Uid:\s*(\d+)/m.exec(status)![1], '0');
    assert.equal(scrapeMachine(machine).value('filebeat_port_exporter_scan_success'), 1);
    machine.sh(`systemctl stop ${service}`);
    assert.equal(property(service, 'Result'), 'success');
    assert.equal(property(service, 'ExecMainStatus'), '0');
    assert.equal(property(service, 'ActiveState'), 'inactive');
  });

  it('the first scrape starts the service through the socket', () => {
    machine.sh(`systemctl start ${name}.socket`);
    assert.equal(property(service, 'ActiveState'), 'inactive');
    assert.equal(scrapeMachine(machine).value('filebeat_port_exporter_scan_success'), 1);
    assert.equal(property(service, 'ActiveState'), 'active');
  });

  it('instances of a template are found; killed, stopped and disabled ones are distinguished', async () => {
    installFilebeat(machine);
    machine.write('/etc/systemd/system/filebeat@.service', templateUnit);
    const instances = ['killed', 'stopped', 'disabled'];
    for (const [index, one] of instances.entries()) configureFilebeat(machine, one, [`127.0.0.1:${9001 + index}`]);
    machine.sh(
      `systemctl daemon-reload; systemctl enable --now ${instances.map((one) => `filebeat@${one}`).join(' ')}`,
    );
    machine.sh(`systemctl start ${service}`);
    const pids = instances.map((one) => property(`filebeat@${one}`, 'MainPID'));
    const running = scrapeMachine(machine);
    for (const [index, one] of instances.entries()) {
      assert.equal(healthOf(running, one), `up=1 pid=${pids[index]} udp 127.0.0.1:${9001 + index}=1`);
      assert.equal(running.one('filebeat_instance_info', { name: one }).labels.get('unit'), `filebeat@${one}.service`);
    }
    machine.sh(`
      systemctl kill --signal=KILL filebeat@killed
      systemctl stop filebeat@stopped
      systemctl disable --now filebeat@disabled`);
    await until(
      'systemd has started it anew',
      () =>
        property('filebeat@killed', 'MainPID') !== pids[0] && property('filebeat@killed', 'ActiveState') === 'active',
    );
    const restarted = property('filebeat@killed', 'MainPID');
    const later = await until('a scan sees the new process', () => {
      const scrape = scrapeMachine(machine);
      return healthOf(scrape, 'killed') === `up=1 pid=${restarted} udp 127.0.0.1:9001=1` && scrape;
    });
    assert.equal(later.value('filebeat_instance_restarts_total', { name: 'killed' }), 1);
    assert.equal(healthOf(later, 'stopped'), 'up=0 pid= udp 127.0.0.1:9002=0');
    // The units' states in systemd, in addition to how their processes ended.
    interface Told {
      name: string;
      cause: string;
      evidence: string[];
    }
    const { mismatches } = JSON.parse(machine.try(`${name} check --json`).stdout) as { mismatches: Told[] };
    const said = (one: string) => {
      const found = mismatches.find((m) => m.name === one);
      return [found?.cause, ...(found?.evidence ?? [])].join('\n');
    };
    assert.match(said('stopped'), /systemd does not regard filebeat@stopped\.service as started/);
    assert.match(said('disabled'), /Its unit filebeat@disabled\.service is disabled/);
    assert.equal(healthOf(later, 'disabled'), 'up=0 pid= udp 127.0.0.1:9003=0');
    const originOf = (one: string) => later.one('filebeat_instance_info', { name: one }).labels.get('origin');
    assert.deepEqual(instances.map(originOf), ['process', 'systemd', 'remembered']);
    assert.deepEqual(codesOf(later, 'disabled'), ['instance_down']);
    // The disabled one is only remembered and can be forgotten; the enabled one cannot.
    machine.sh(`${name} forget disabled`);
    await until('it is forgotten', () => healthOf(scrapeMachine(machine), 'disabled') === 'absent');
    assert.equal(healthOf(scrapeMachine(machine), 'stopped'), 'up=0 pid= udp 127.0.0.1:9002=0');
  });

  it('a user’s filebeat.service belongs to that user; the system’s unit of that name stays down', async () => {
    installFilebeat(machine);
    const unit = (config: string, data: string, target: string) => `[Service]
ExecStart=${program} -c ${config} --path.home /usr/share/filebeat --path.data ${data}
StandardInput=file:/srv/sockets/mine
[Install]
WantedBy=${target}
`;
    configureFilebeat(machine, 'system', ['127.0.0.1:9101']);
    configureFilebeat(machine, 'mine', ['127.0.0.1:9102']);
    const home = '/home/nina';
    machine.write(`${home}/filebeat.yml`, udpConfig(['127.0.0.1:9102']), 0o600);
    machine.write(
      `${home}/.config/systemd/user/filebeat.service`,
      unit(`${home}/filebeat.yml`, `${home}/data`, 'default.target'),
    );
    machine.write(
      '/etc/systemd/system/filebeat.service',
      unit('/etc/filebeat/system.yml', '/var/lib/filebeat', 'multi-user.target'),
    );
    machine.sh(`
      systemctl daemon-reload
      systemctl enable filebeat.service
      useradd --home-dir ${home} nina
      chown -R nina: ${home}
      systemctl start user@$(id -u nina)
      systemctl --user --machine=nina@ enable --now filebeat.service
      systemctl start ${service}`);
    const scrape = scrapeMachine(machine);
    const of = (config: string) => scrape.one('filebeat_instance_info', { config }).labels;
    const theirs = of(`${home}/filebeat.yml`);
    const group = machine.sh(`cat /proc/${theirs.get('pid')}/cgroup`);
    assert.match(group, /\/user@\d+\.service\/app\.slice\/filebeat\.service$/m);
    assert.equal(scrape.value('filebeat_port_up', { name: theirs.get('name')!, port: '9102' }), 1);
    assert.equal(of('/etc/filebeat/system.yml').get('unit'), 'filebeat.service');
    assert.equal(healthOf(scrape, 'filebeat'), 'up=0 pid= udp 127.0.0.1:9101=0');
    assert.deepEqual(codesOf(scrape, 'filebeat'), ['instance_down']);
  });
});
