/**
 * Follows docs/migration-from-script.md: a script, its unit and cron lines on a real systemd, a Prometheus whose
 * configuration never changes, and the commands of the document in order.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../support/live.js';
import { getInside } from '../support/machine-exporter.js';
import { configureFilebeat, installFilebeat, templateUnit } from '../support/machine-filebeat.js';
import { needsProgram } from '../support/needs.js';
import { boot, type Machine, needsSystemd } from '../support/systemd.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(join(top, name), 'utf8');
const english = read('docs/migration-from-script.md');
const chinese = read('docs/migration-from-script.zh-CN.md');
const fenced = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!);

const languages = ['bash', 'shell', 'ini', 'crontab', 'yaml'];

const needsAll = [needsSystemd, ...['crontab', 'prometheus', 'busybox', 'netstat', 'curl'].map(needsProgram)];

describe('the migration from the script', needsAll.find(({ skip }) => skip !== undefined) ?? {}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'migration-'));
  let machine: Machine;
  const [names, ...steps] = fenced(english, 'bash');
  const [note, settings, install, compare, change, back, look, remove] = steps as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const step = (commands: string) => machine.sh(`cd /srv\n${names}\n${commands}`);

  before(async () => {
    execFileSync(process.execPath, [join(top, 'scripts/package.mjs'), '--out', folder, 'deb'], { stdio: 'pipe' });
    machine = await boot();
    // If Node.js is not installed as a package, the dependency on it cannot be met.
    const deb = readdirSync(folder).find((name) => name.endsWith('.deb'))!;
    machine.write(`/srv/${deb}`, readFileSync(join(folder, deb)));
    machine.sh(`
      dpkg-query -W -f='\${Status}' nodejs 2>/dev/null | grep -q 'install ok installed' ||
        echo force-depends >/etc/dpkg/dpkg.cfg.d/without-node-package`);
    installFilebeat(machine);
    machine.write('/etc/systemd/system/filebeat@.service', templateUnit);
    configureFilebeat(machine, 'core', [':6984', ':9001']);
    configureFilebeat(machine, 'edge', [':6985']);

    const [script, unit, crontab] = ['shell', 'ini', 'crontab'].map((language) => fenced(english, language)[0]!);
    machine.write('/usr/local/bin/filebeat-ports.sh', script!, 0o755);
    machine.write('/etc/systemd/system/filebeat-ports.service', unit!);
    machine.write('/srv/crontab', `${crontab}@daily true\n`);
    const [scrapes, rules] = fenced(english, 'yaml');
    machine.write('/srv/prometheus/rules.yml', rules!);
    const hurry = 'global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n';
    machine.write('/srv/prometheus/prometheus.yml', hurry + scrapes);
    machine.sh(`
      systemctl daemon-reload
      systemctl enable --now filebeat@core filebeat@edge filebeat-ports.service
      crontab /srv/crontab
      systemd-run --quiet --unit=watching prometheus --config.file=/srv/prometheus/prometheus.yml \
        --storage.tsdb.path=/srv/prometheus/data --web.listen-address=127.0.0.1:9090`);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await machine?.stop();
  });

  const ask = <T>(path: string): T =>
    (JSON.parse(getInside(machine, `http://127.0.0.1:9090${path}`).body) as { data: T }).data;
  /** Ports that are down by the user's own Prometheus rule. */
  const dead = () => {
    const { alerts } = ask<{ alerts: { labels: Record<string, string>; state: string }[] }>('/api/v1/alerts');
    return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels['label']);
  };
  const series = () =>
    ask<{ result: { metric: object; value: [number, string] }[] }>('/api/v1/query?query=PORT').result.map(
      ({ metric, value }) => `${JSON.stringify(metric)} ${value[1]}`,
    );
  const isListed = (line: string) => /"(6984|6985|6998)"/.test(line);
  const watchesMore = () => series().some((one) => one.includes('"9001"')) && series().filter(isListed).length === 3;
  let atFirst: string[];

  it('both languages have the same commands and files', () => {
    for (const language of languages) assert.deepEqual(fenced(chinese, language), fenced(english, language), language);
    assert.equal(steps.length, 8);
  });

  it('at first the rule fires for the one port that is down', async () => {
    await until('the rule has fired', () => dead().length > 0, 60);
    assert.deepEqual(dead(), ['6998']);
    atFirst = series().sort();
    assert.equal(atFirst.length, 3);
  });

  it('steps 2 to 5: settings from the script’s output, both run side by side and agree', () => {
    assert.equal(step(note), '3');
    assert.equal(step(settings), 'legacy_port_metric: true\nports:\n  - 6984\n  - 6985\n  - 6998');
    step(install);
    const said = step(compare);
    const ports = said.split('\n').filter((line) => line.startsWith('PORT{'));
    // The listed ports agree; one port is watched that the list did not have.
    assert.deepEqual(ports.filter(isListed), []);
    assert.ok(ports.includes('PORT{label="9001"} 1'), said);
    assert.match(said, /^(OK|WARNING|CRITICAL|UNKNOWN) - /m);
    assert.match(said, /6998/);
  });

  it('steps 6 and 7: the exporter takes over the port, the series continue, and the way back works', async () => {
    step(change);
    assert.equal(machine.sh('crontab -l'), '@daily true');
    assert.equal(step(look), 'enabled');
    await until('Prometheus has the same series, and that of the other port', watchesMore, 60);
    assert.deepEqual(series().filter(isListed).sort(), atFirst);
    step(back);
    await until('the script answers again', () => series().length === 3 && !watchesMore(), 60);
    assert.match(machine.sh('crontab -l'), /restart filebeat-ports/);
    step(change);
    step(look);
    await until('the exporter answers again', watchesMore, 60);
  });

  it('the unchanged rule fires for a port that goes down, and ends for one that recovers', async () => {
    await until('the port that was dead is told', () => dead().includes('6998'), 60);
    machine.sh('systemctl stop filebeat@edge');
    await until('it is told', () => dead().includes('6985'), 60);
    machine.sh('systemctl start filebeat@edge');
    await until('it is over', () => !dead().includes('6985'), 60);
  });

  it('step 8: nothing is left of the script, and a boot starts the exporter', () => {
    step(remove);
    const left = machine.try(
      'grep -rl filebeat-ports /etc/cron* /etc/systemd /var/spool/cron; ls /usr/local/bin/filebeat-ports* /root/*-before /root/*-now',
    );
    assert.equal(left.stdout, '');
    assert.equal(machine.sh('systemctl show --value --property=LoadState filebeat-ports.service'), 'not-found');
    machine.sh('systemctl stop filebeat-port-exporter; systemctl start multi-user.target');
    assert.equal(machine.sh('systemctl is-active filebeat-port-exporter'), 'active');
  });
});
