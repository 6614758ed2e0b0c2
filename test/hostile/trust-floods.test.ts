/**
 * Floods cannot hide a fault: any number of processes, listeners and long paths of one user does not change what is
 * reported about another user's Filebeat.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '../../src/model/limits.js';
import { ALIVE, DEAD, prepareAttacks, tell, wants } from '../support/attacks.js';
import { bindingInput, program } from '../support/machine-filebeat.js';
import { needsSystemd } from '../support/systemd.js';
import { coreSockets, EVE } from '../support/trust.js';

const unit = 'filebeat-core';
const asEve = `setpriv --reuid ${EVE} --regid ${EVE} --clear-groups`;

describe('an ordinary user who exceeds limits', { ...needsSystemd, timeout: 600_000 }, () => {
  const at = prepareAttacks();
  const { start, core, eves, own, writeOwn, installUnit, comes } = at;
  const machine = () => at.trial.machine;
  const healthy = () => at.trial.scrape().value('filebeat_instance_healthy', { name: 'core' });

  it('S9 declares more listeners than the limit', () => {
    const pid = core();
    const before = at.trial.victim();
    assert.equal(before, ALIVE);
    for (let n = 0; n < 13; n++) {
      const ports = Array.from({ length: 2000 }, (_, port) => 10_000 + n * 2000 + port);
      writeOwn(`many${n}`, wants(ports));
      const sockets = n < 4 ? ports.map((port) => `udp 127.0.0.1:${port}`) : [];
      start({ uid: EVE, argv: own(`many${n}`), sockets, before: 'prlimit --nofile=4096' });
    }
    const during = at.trial.victim();
    assert.equal(during, ALIVE);
    assert.equal(healthy(), 1);
    const { gaps, instances } = at.trial.status();
    const cut = gaps.filter(({ reason, subject }) => reason === 'limit' && /^listeners of “many/.test(String(subject)));
    // A quarter of the limit is three instances with 2,000 listeners and a part of a fourth.
    assert.equal(cut.length, 13 - Math.floor(limits.listenersInAll / 4 / 2000));
    const his = instances.filter((one) => one['ordinary_user'] === EVE);
    assert.equal(his.length, 13);
    const cutNames = cut.map(({ subject }) => /“(.*)”/.exec(String(subject))![1]);
    assert.ok(his.every((one) => !cutNames.includes(String(one['name'])) || one['healthy'] !== true));
    // One port of root's own Filebeat is lost, which is still reported.
    at.kill(pid);
    const half = start({ sockets: coreSockets.slice(0, 1) });
    const lost = at.trial.victim();
    assert.equal(lost, 'up=1 udp/9001=1 tcp/9002=0 port_missing');
    assert.equal(healthy(), 0);
    at.kill(half);
    const last = at.trial.victim();
    assert.equal(last, DEAD);
    tell('S9 13 processes with 2,000 listeners each', before, during, last, `root’s own loses one, ${lost}`);
  });

  /** Starts many at once, each with its own file and data. Returns their pids. */
  const flood = (names: readonly string[], port: number): number[] => {
    machine().write('/srv/inputs/none', bindingInput([]));
    machine().write('/srv/flood', `${names.join('\n')}\n`);
    const yml = wants([port]).replaceAll('\n', '\\n');
    const said = machine().sh(`
      while read name; do
        printf '${yml}' >/home/eve/$name.yml
        (exec ${asEve} bash -c 'exec -a filebeat ${program} -c /home/eve/$0.yml --path.data /home/eve/$0' $name) </srv/inputs/none >/dev/null 2>&1 &
        echo $!
      done </srv/flood`);
    return said.split('\n').map(Number);
  };

  it('S10 starts many short-lived Filebeats', async () => {
    const real = core();
    const before = at.trial.victim();
    at.kill(real);
    assert.equal(at.trial.victim(), DEAD);
    const known = at.trial.status().instances.length;
    let during = '';
    let most = 0;
    for (let round = 0; round < 6; round++) {
      const pids = flood(
        Array.from({ length: 180 }, (_, n) => `short${round}-${n}`),
        9300,
      );
      during = at.trial.victim();
      assert.equal(during, DEAD);
      most = Math.max(most, eves().length);
      at.trial.kill(...pids);
    }
    assert.ok(most >= 170, `${most} were seen at once`);
    const last = at.trial.victim();
    assert.equal(last, DEAD);
    assert.equal(at.trial.status().instances.length, known, 'none of them left a trace');
    at.trial.exporter({ keep: true });
    await comes(DEAD, 'core');
    // A Filebeat of a unit is remembered at once.
    at.trial.exporter();
    installUnit();
    machine().sh(`systemctl start ${unit}`);
    await comes(ALIVE);
    machine().sh(
      `systemctl stop ${unit}; rm -r /etc/systemd/system/filebeat-core.service /etc/systemd/system/multi-user.target.wants/*; systemctl daemon-reload`,
    );
    const again = await comes(DEAD);
    tell('S10 six rounds of 180 processes', before, during, last, `a unit’s that lived for one scan, ${again}`);
  });

  it('S11 has paths of 3.9 KB and many listeners in the state file', async () => {
    at.trial.exporter({ settings: 'discovery: {remember_after: 0s}\n' });
    const real = core();
    const before = at.trial.victim();
    at.kill(real);
    assert.equal(at.trial.victim(), DEAD);
    const folder = `/home/eve/${Array.from({ length: 15 }, () => 'x'.repeat(254)).join('/')}`;
    machine().sh(`mkdir -p ${folder}; chown -R ${EVE} /home/eve`);
    for (let n = 0; n < 12; n++) {
      const path = `${folder}/${n}${'y'.repeat(60)}.yml`;
      assert.ok(path.length > 3880 && path.length < 3950);
      machine().write('/srv/long.yml', wants(Array.from({ length: 2000 }, (_, port) => 10_000 + n * 2000 + port)));
      machine().sh(`cp /srv/long.yml ${path}; chown ${EVE} ${path}`);
      start({ uid: EVE, argv: ['filebeat', '-c', path, '--path.data', `/home/eve/long${n}`] });
    }
    const during = at.trial.victim();
    assert.equal(during, DEAD);
    at.trial.exporter({ keep: true, settings: 'discovery: {remember_after: 0s}\n' });
    const last = await comes(DEAD, 'core');
    const size = Number(machine().sh('stat -c %s /var/lib/exporter/state.json'));
    assert.ok(size < limits.stateBytes, `${size} bytes`);
    assert.ok(!/too large|set aside/.test(machine().sh('cat /srv/log')));
    assert.ok(!/set aside/.test(machine().sh('ls /var/lib/exporter')));
    const again = `state file of ${(size / 2 ** 20).toFixed(0)} MiB is read`;
    const pid = core();
    assert.equal(at.trial.victim(), ALIVE);
    const restarts = at.trial.scrape().value('filebeat_instance_restarts_total', { name: 'core' });
    assert.equal(restarts, 1, 'its history is there');
    at.kill(pid);
    tell(
      'S11 12 files with paths of 3.9 KB, 2,000 listeners',
      before,
      during,
      last,
      `${again}, the restart is counted`,
    );
  });
});
