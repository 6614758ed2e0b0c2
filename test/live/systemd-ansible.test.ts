/** Runs the example playbook twice with Ansible against a machine with a real systemd. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { until } from '../support/live.js';
import { scrapeMachine } from '../support/machine-exporter.js';
import { configureFilebeat, installFilebeat, program } from '../support/machine-filebeat.js';
import { needsProgram } from '../support/needs.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const playbook = join(top, 'examples/ansible/filebeat-port-exporter.yml');
const needsAnsible = needsProgram('ansible-playbook');

it('ansible-playbook accepts the playbook', needsAnsible, () => {
  const said = spawnSync('ansible-playbook', ['--syntax-check', '--inventory', 'filebeats,', playbook], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  assert.equal(said.status, 0, `${said.stdout}${said.stderr}`);
});

describe('the playbook on a machine', 'skip' in needsAnsible ? needsAnsible : needsSystemd, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ansible-'));
  let machine: Machine;
  before(async () => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'deb'], { stdio: 'pipe' });
    machine = await boot();
    const deb = readdirSync(folder).find((name) => name.endsWith('.deb'))!;
    machine.write(`/srv/packages/${deb}`, readFileSync(join(folder, deb)));
    machine.write('/srv/playbook.yml', readFileSync(playbook));
    machine.write(
      '/srv/inventory',
      '[filebeats]\nhost1 ansible_connection=local\n[prometheus]\nmonitor ansible_connection=local\n',
    );
    // If Node.js is not installed as a package, an empty package meets the dependency, which Ansible requires.
    machine.write(
      '/srv/node/DEBIAN/control',
      'Package: nodejs\nVersion: 20.0.0\nArchitecture: all\nMaintainer: x\nDescription: x\n',
    );
    machine.sh(`
      dpkg-query -W -f='\${Status}' nodejs 2>/dev/null | grep -q 'install ok installed' || {
        dpkg-deb --build /srv/node /srv/node.deb
        dpkg --install /srv/node.deb
      } >/dev/null`);
    installFilebeat(machine);
    configureFilebeat(machine, 'filebeat-core', ['127.0.0.1:9001']);
    machine.write(
      '/etc/systemd/system/filebeat-core.service',
      `[Service]\nExecStart=${program} -c /etc/filebeat/filebeat-core.yml --path.data /var/lib/filebeat-core\nStandardInput=file:/srv/sockets/filebeat-core\n`,
    );
    machine.sh('systemctl daemon-reload; systemctl start filebeat-core');
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });

  /** Runs it as a unit, because it takes longer than a command may; returns the recap, `changed=7 … failed=0`. */
  async function play(): Promise<Record<string, string>> {
    machine.sh(`
      systemctl reset-failed play 2>/dev/null || true
      systemd-run --quiet --unit=play --setenv=HOME=/root --setenv=LC_ALL=C.UTF-8 --working-directory=/srv \
        ansible-playbook --inventory /srv/inventory --extra-vars exporter_packages=/srv/packages /srv/playbook.yml`);
    await until('the play is over', () => !/^(de)?activ/.test(machine.try('systemctl is-active play').stdout), 240);
    const said = machine.journal('play');
    const recaps = [...said.matchAll(/^host1 +: (ok=.*)$/gm)];
    assert.ok(recaps.length > 0, said);
    const recap = Object.fromEntries(
      recaps
        .at(-1)![1]!
        .split(/ +/)
        .map((one) => one.split('=')),
    );
    assert.deepEqual([recap['failed'], recap['unreachable']], ['0', '0'], said);
    return recap;
  }

  it('installs and starts the exporter with the settings, and adds the target to Prometheus', async () => {
    assert.notEqual((await play())['changed'], '0');
    const scrape = scrapeMachine(machine);
    assert.equal(scrape.value('filebeat_port_up', { name: 'filebeat-core' }), 1);
    assert.equal(machine.sh('systemctl is-enabled filebeat-port-exporter'), 'enabled');
    const targets = load(machine.sh('cat /etc/prometheus/targets/filebeat-hosts.yml'));
    assert.deepEqual(targets, [{ targets: ['host1:9117'] }]);
  });

  it('changes nothing in a second run', async () => {
    assert.equal((await play())['changed'], '0');
  });
});
