/** The .deb on a real systemd, from installation to purge. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/live.js';
import { scrapeMachine } from '../support/machine-exporter.js';
import { configureFilebeat, installFilebeat, templateUnit } from '../support/machine-filebeat.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string };
const name = 'filebeat-port-exporter';
const service = `${name}.service`;
const socket = `${name}.socket`;

describe('the .deb under systemd', needsSystemd, () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  let machine: Machine;
  before(async () => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'deb'], { stdio: 'pipe' });
    machine = await boot();
    machine.write('/srv/new.deb', readFileSync(join(folder, `${name}_${version}_all.deb`)));
    // There is no earlier release: the same content under a version that sorts before all others.
    machine.sh(`
      dpkg-deb --raw-extract /srv/new.deb /srv/old
      sed -i 's/^Version: .*/Version: 0.0.0/' /srv/old/DEBIAN/control
      dpkg-deb --build /srv/old /srv/old.deb`);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });

  const property = (unit: string, key: string) => machine.sh(`systemctl show --value --property=${key} ${unit}`);
  /** If Node.js is not installed as a package, the dependency on it cannot be met. */
  const install = (deb: string) =>
    machine.sh(`
      dpkg-query -W -f='\${Status}' nodejs 2>/dev/null | grep -q 'install ok installed' || force=--force-depends
      dpkg --force-confold $force --install ${deb} 2>&1`);
  const flags = (text: string) => machine.write(`/etc/default/${name}`, `ARGS="${text}"\n`);
  const restart = () =>
    machine.sh(`systemctl reset-failed ${service} 2>/dev/null || true; systemctl restart ${service}`);

  it('serves after the installation, and is enabled for the next boot', () => {
    install('/srv/old.deb');
    assert.equal(scrapeMachine(machine).value('filebeat_port_exporter_scan_success'), 1);
    assert.equal(machine.sh(`systemctl is-enabled ${service}`), 'enabled');
    assert.equal(machine.try(`systemctl is-enabled ${socket}`).stdout.trim(), 'disabled');
    const warnings = machine.sh(`journalctl --boot --priority=warning --output=cat --unit=${service}`);
    assert.equal(warnings.replace('-- No entries --', '').trim(), '');
  });

  it('reloads its settings by systemctl reload', async () => {
    machine.write('/etc/exporter.yml', 'ports: [6001]\n');
    flags('--config.file=/etc/exporter.yml');
    restart();
    const ports = () =>
      scrapeMachine(machine)
        .all('filebeat_static_port_up')
        .map(({ labels }) => labels.get('port'));
    assert.deepEqual(ports(), ['6001']);
    const pid = property(service, 'MainPID');
    machine.write('/etc/exporter.yml', 'ports: [6001, 6002]\n');
    machine.sh(`systemctl reload ${service}`);
    await until('both are watched', () => ports().length === 2);
    assert.equal(property(service, 'MainPID'), pid);
  });

  it('fails with a wrong flag without a restart, and the journal says why', async () => {
    flags('--web.listen-adress=:9118');
    restart();
    await until('it has failed', () => property(service, 'ActiveState') === 'failed');
    assert.equal(property(service, 'ExecMainStatus'), '2');
    assert.equal(property(service, 'NRestarts'), '0');
    assert.match(machine.sh('systemctl --failed --no-legend --plain'), new RegExp(service));
    assert.match(machine.journal(service), /unknown flag --web\.listen-adress; --help lists them/);
  });

  it('is restarted if its address does not exist yet', async () => {
    flags('--web.listen-address=192.0.2.9:9117');
    restart();
    await until('it waits for its next start', () => property(service, 'SubState') === 'auto-restart');
    assert.equal(property(service, 'ExecMainStatus'), '1');
    machine.sh('ip address add 192.0.2.9/32 dev lo');
    assert.equal(scrapeMachine(machine, 'http://192.0.2.9:9117').value('filebeat_port_exporter_scan_success'), 1);
  });

  it('lets systemd open the port as the socket unit says, and logs that a flag is ignored', async () => {
    flags('--web.listen-address=127.0.0.1:9118');
    restart();
    scrapeMachine(machine, 'http://127.0.0.1:9118');
    // As the comment in the socket unit says, systemd refuses while the service runs.
    assert.notEqual(machine.try(`systemctl start ${socket}`).status, 0);
    const written = machine.sh(`cat /lib/systemd/system/${socket}`);
    machine.sh([...written.matchAll(/^# {3}(.*)$/gm)].map(([, command]) => command).join('\n'));
    assert.equal(scrapeMachine(machine).value('filebeat_port_exporter_scan_success'), 1);
    assert.match(machine.journal(service), /level=warn .*--web\.listen-address is ignored/);
    assert.equal(machine.sh('ss -Hltn "sport = 9118"'), '');
    // If both are enabled, a boot opens the port first.
    machine.sh(`systemctl stop ${socket} ${service}; systemctl start sockets.target multi-user.target`);
    for (const unit of [socket, service]) assert.equal(property(unit, 'ActiveState'), 'active', unit);
    scrapeMachine(machine);
  });

  it('keeps flags and state over an upgrade, and is restarted', async () => {
    installFilebeat(machine);
    machine.write('/etc/systemd/system/filebeat@.service', templateUnit);
    configureFilebeat(machine, 'core', ['127.0.0.1:9001']);
    machine.sh('systemctl daemon-reload; systemctl start filebeat@core');
    await until('it is seen', () => scrapeMachine(machine).all('filebeat_instance_up', { name: 'core' }).length === 1);
    machine.sh('systemctl stop filebeat@core');
    const pid = property(service, 'MainPID');
    install('/srv/new.deb');
    assert.notEqual(property(service, 'MainPID'), pid);
    assert.equal(machine.sh(`dpkg-query -W -f='\${Version}' ${name}`), version);
    const scrape = scrapeMachine(machine);
    assert.equal(scrape.value('filebeat_instance_up', { name: 'core' }), 0);
    assert.equal(scrape.one('filebeat_instance_info', { name: 'core' }).labels.get('origin'), 'remembered');
    assert.match(machine.sh(`cat /etc/default/${name}`), /9118/);
  });

  it('stops on removal, and leaves nothing after a purge', () => {
    machine.sh(`dpkg --remove ${name} 2>&1`);
    for (const unit of [service, socket]) assert.notEqual(property(unit, 'ActiveState'), 'active', unit);
    assert.equal(machine.sh('ss -Hltn "sport = 9117"'), '');
    assert.notEqual(machine.sh(`ls /var/lib/${name} /etc/default/${name}`), '');
    machine.sh(`dpkg --purge ${name} 2>&1`);
    for (const unit of [service, socket]) assert.equal(property(unit, 'LoadState'), 'not-found', unit);
    const left = machine.try(
      `find /etc /usr /lib /var/lib -name '*${name}*'; getent passwd ${name}; getent group ${name}`,
    );
    assert.equal(left.stdout, '');
  });
});
