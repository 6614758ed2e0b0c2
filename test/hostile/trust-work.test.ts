/**
 * Expensive configurations, and names or data of another user, cannot change what is reported about another user's
 * Filebeat.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALIVE, DEAD, prepareAttacks, tell, wants } from '../support/attacks.js';
import { getInside } from '../support/machine-exporter.js';
import { needsSystemd } from '../support/systemd.js';
import { coreSockets, EVE } from '../support/trust.js';

const unit = 'filebeat-core';

describe('an ordinary user with expensive files, or with another user’s name or data', {
  ...needsSystemd,
  timeout: 600_000,
}, () => {
  const at = prepareAttacks();
  const { start, core, eves, facts, own, writeOwn, installUnit, comes } = at;
  const machine = () => at.trial.machine;

  /** A dead Filebeat is reported within a scrape, whatever the cost of others; root's own expensive one is still predicted. */
  const beside = (attack: string, act: () => void) => {
    const real = core();
    const before = at.trial.victim();
    at.kill(real);
    act();
    const [during, last] = [at.trial.victim(), at.trial.victim()];
    assert.deepEqual([during, last], [DEAD, DEAD]);
    assert.equal(at.trial.scrape().value('filebeat_port_exporter_scan_success'), 1);
    assert.ok(!at.trial.status().gaps.some(({ reason }) => reason === 'blocked'));
    const rules = '- drop_event: {when: {equals: {a: 1}}}\n'.repeat(2000);
    machine().write('/etc/filebeat/big.yml', `${wants([9600])}processors:\n${rules}`, 0o600);
    const argv = ['filebeat', '-c', '/etc/filebeat/big.yml', '--path.data', '/var/lib/big'];
    const big = start({ argv, sockets: ['udp 127.0.0.1:9600'] });
    const again = at.trial.victim('big');
    assert.equal(again, 'up=1 udp/9600=1');
    tell(attack, before, during, last, `2,000 processors of root’s, ${again}`);
    at.kill(big);
  };

  it('S12 has a path that is expensive to resolve', () => {
    beside('S12 -c with 120,000 dashes', () => {
      start({ uid: EVE, argv: ['filebeat', '-c', `/x/a${'-'.repeat(120_000)}a.yml`, '--path.data', '/home/eve/d'] });
    });
    const his = eves()[0];
    assert.ok(String(his?.['config']).length < 5000 && String(his?.['name']).length < 5000);
  });

  it('S13 has configurations that are expensive to predict', () => {
    beside('S13 8 × 860 KB of processors, links, 600 folders', () => {
      const bad = '- drop_event: {when: {nonsense: {a: 1}}}\n'.repeat(20_000);
      for (let n = 0; n < 8; n++)
        writeOwn(`dear${n}`, `filebeat.inputs: [{type: udp, host: "127.0.0.1:950${n}"}]\nprocessors:\n${bad}`);
      const globs = { glob: '/home/eve/s/*/*/*/*', links: '/home/eve/links/*.yml', wide: '/home/eve/wide/*/*.yml' };
      for (const [name, path] of Object.entries(globs))
        writeOwn(name, `filebeat.config.inputs: {path: "${path}"}\noutput.console: {enabled: true}\n`);
      machine().sh(`
        mkdir -p /home/eve/s /home/eve/links /home/eve/wide; cd /home/eve/s; for n in $(seq 40); do ln -sfn . l$n; done
        cd ../links; echo '- {type: udp, host: "127.0.0.1:9510"}' >one.yml; for n in $(seq 3000); do echo l$n.yml; done | xargs -n1 ln -s one.yml
        cd ../wide; mkdir 1; (cd 1; seq -f 'n%g.txt' 9000 | xargs touch)
        for n in $(seq 2 600); do ln -s 1 $n; done`);
      for (const name of [
        'dear0',
        'dear1',
        'dear2',
        'dear3',
        'dear4',
        'dear5',
        'dear6',
        'dear7',
        ...Object.keys(globs),
      ])
        start({ uid: EVE, argv: own(name) });
    });
    const gaps = at.trial.status().gaps.filter(({ reason }) => reason === 'limit');
    assert.ok(
      gaps.some(({ subject }) => /dear|glob|wide|eve/.test(String(subject))),
      JSON.stringify(gaps),
    );
  });

  it('S14 uses a name before its owner is installed', async () => {
    at.trial.exporter({ settings: 'discovery: {remember_after: 0s}\n' });
    writeOwn('filebeat-core', wants([9400]));
    start({ uid: EVE, argv: own('filebeat-core') });
    assert.equal(eves('filebeat-core').length, 1);
    at.trial.scrape();
    installUnit();
    const during = at.trial.victim(unit);
    assert.equal(during, DEAD);
    assert.deepEqual(
      eves().map(({ name }) => name),
      ['filebeat-core-uid4242'],
    );
    const last = at.trial.victim(unit);
    machine().sh(`systemctl start ${unit}`);
    const again = await comes(ALIVE);
    assert.equal(facts(unit)?.['ordinary_user'] ?? null, null);
    tell('S14 a name taken before its owner is there', 'absent', during, last, `the unit is started, ${again}`);
  });

  it('S15 runs beside the real Filebeat, on its data path', async () => {
    machine().sh("grep -q beats /etc/passwd || echo 'beats:x:998:998::/:/bin/false' >>/etc/passwd");
    core();
    const before = at.trial.victim();
    const pid = start({ uid: EVE, sockets: coreSockets });
    const during = at.trial.victim();
    assert.equal(during, ALIVE);
    const name = eves()[0]?.['name'];
    const his = at.trial.status().mismatches.filter((one) => one['name'] === name);
    assert.ok(his.some(({ code, severity }) => code === 'data_path_conflict' && severity === 'warning'));
    at.kill(pid);
    const last = at.trial.victim();
    assert.equal(last, ALIVE);
    assert.deepEqual(eves(), []);
    at.trial.kill(
      ...at.trial.status().instances.flatMap((one) => (one['name'] === 'core' ? [Number(one['pid'])] : [])),
    );
    // The unit changes its user and gets the capability that it needs, while the duplicate runs.
    installUnit();
    start({ uid: EVE });
    machine().sh(`systemctl start ${unit}`);
    await comes(ALIVE, 'core');
    installUnit('User=beats\nAmbientCapabilities=CAP_DAC_READ_SEARCH');
    machine().sh(`systemctl restart ${unit}`);
    const again = await comes(ALIVE, 'core');
    assert.equal(facts('core')?.['restarts'], 2);
    tell('S15 a duplicate of the real one', before, during, last, `User=beats in the unit, ${again}`);
  });

  /** Searches all output of the exporter for a word. */
  const says = (word: string) => {
    const { body } = getInside(machine(), 'http://127.0.0.1:9117/metrics');
    return [body, JSON.stringify(at.trial.status()), getInside(machine(), 'http://127.0.0.1:9117/').body].some((text) =>
      text.includes(word),
    );
  };
  const said = (word: string) => `“${word}” is ${says(word) ? '' : 'not '}told`;
  const asRoot = (path: string) => ['filebeat', '-c', path, '--path.data', '/var/lib/other'];

  it('L1 uses a glob to learn names in a folder that he cannot list', () => {
    const text = '- {type: udp, host: "127.0.0.1:9700"}\n';
    machine().write('/etc/filebeat/secret.d/merger-2027.yml', text);
    machine().sh('chmod 700 /etc/filebeat/secret.d');
    const pattern = `filebeat.config.inputs: {path: /etc/filebeat/secret.d/*.yml}\noutput.console.enabled: true\n`;
    const before = said('merger-2027');
    for (const [name, path] of [
      ['pattern', '*.yml'],
      ['named', 'merger-2027.yml'],
    ] as const)
      writeOwn(name, pattern.replace('*.yml', path));
    const pid = start({ uid: EVE, argv: own('pattern') });
    const during = said('merger-2027');
    assert.deepEqual(at.trial.scrape().all('filebeat_port_up', { port: '9700' }), []);
    const told = at.trial.status().mismatches.filter(({ code }) => code === 'config_unreadable');
    assert.match(String(told[0]?.['cause']), /Its user \(uid 4242\) has no permission to read it/);
    // Nor a port of a file whose name he knows.
    at.kill(pid, start({ uid: EVE, argv: own('named') }));
    assert.deepEqual(at.trial.scrape().all('filebeat_port_up', { port: '9700' }), []);
    const last = said('merger-2027');
    assert.deepEqual([before, during, last], Array(3).fill('“merger-2027” is not told'));
    machine().write('/etc/filebeat/lists.yml', pattern, 0o600);
    const real = start({ argv: asRoot('/etc/filebeat/lists.yml') });
    assert.equal(at.trial.scrape().all('filebeat_port_up', { port: '9700' }).length, 1);
    tell('L1 a pattern over a folder he cannot list', before, during, last, `root’s own asks, ${said('merger-2027')}`);
    at.kill(real);
  });

  it('L2 reads a file whose setting names only root may know', () => {
    const text = 'filebeat.inputs: [{type: udp, host: "127.0.0.1:9710"}]\noutput.no_such_output_of_root: {a: 1}\n';
    machine().write('/etc/filebeat/vault.yml', text, 0o600);
    const word = 'no_such_output_of_root';
    const before = said(word);
    const pid = start({ uid: EVE, argv: ['filebeat', '-c', '/etc/filebeat/vault.yml', '--path.data', '/home/eve/v'] });
    const during = said(word);
    assert.deepEqual(at.trial.scrape().all('filebeat_port_up', { port: '9710' }), []);
    at.kill(pid);
    const last = said(word);
    assert.deepEqual([before, during, last], Array(3).fill(`“${word}” is not told`));
    const real = start({ argv: asRoot('/etc/filebeat/vault.yml') });
    assert.ok(says(word));
    tell('L2 settings of a file he cannot read', before, during, last, `root’s own has it, ${said(word)}`);
    at.kill(real);
  });

  it('does not belong to a unit for an exporter with its own control group, which still knows the host’s units', async () => {
    machine().write(
      '/srv/own-group.sh',
      'umount -l /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"\n',
    );
    at.trial.exporter({
      group: '/sys/fs/cgroup/system.slice/docker-00aa.scope',
      through: 'unshare -C -m sh /srv/own-group.sh',
    });
    installUnit();
    machine().sh(`systemctl start ${unit}`);
    const before = await comes(ALIVE);
    const identity = facts(unit)?.['identity'] as { claim: string } | undefined;
    assert.equal(identity?.claim, 'cgroup');
    machine().sh(`systemctl stop ${unit}`);
    await comes(DEAD);
    const slice = `/sys/fs/cgroup/user.slice/user-${EVE}.slice/user@${EVE}.service`;
    const pid = start({ uid: EVE, sockets: coreSockets, group: `${slice}/app.slice/filebeat-core.service` });
    const during = at.trial.victim(unit);
    at.kill(pid);
    const last = at.trial.victim(unit);
    assert.deepEqual([during, last], [DEAD, DEAD]);
    tell('S5 the same, the exporter in a cgroup namespace', before, during, last, 'the unit’s own is the unit’s');
  });
});
