/**
 * Imitations cannot hide a fault: an ordinary user's process never changes what is reported about another user's Filebeat.
 * Each attack runs on a machine with a real systemd, kernel and users, next to processes that must stay the same instance.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALIVE, DEAD, prepareAttacks, tell, wants } from '../support/attacks.js';
import { needsSystemd } from '../support/systemd.js';
import { coreArgv, coreSockets, EVE } from '../support/trust.js';

const unit = 'filebeat-core';
const asEve = `setpriv --reuid ${EVE} --regid ${EVE} --clear-groups`;
const slice = `/sys/fs/cgroup/user.slice/user-${EVE}.slice`;

describe('an ordinary user who pretends to be another', { ...needsSystemd, timeout: 600_000 }, () => {
  const at = prepareAttacks();
  const { start, core, eves, facts, own, writeOwn, installUnit, comes } = at;

  /** The real Filebeat dies, the attacker acts, then a legitimate process starts. */
  const afterDeath = (
    attack: string,
    act: () => number,
    control: { what: string; comes: () => number; name?: string },
  ) => {
    const real = core();
    const alive = at.trial.victim();
    assert.equal(alive, ALIVE);
    at.kill(real);
    assert.equal(at.trial.victim(), DEAD);
    const pid = act();
    const during = at.trial.victim();
    assert.equal(during, DEAD);
    at.kill(pid);
    const last = at.trial.victim();
    assert.equal(last, DEAD);
    const legitimate = control.comes();
    const again = at.trial.victim();
    assert.equal(again, ALIVE, control.what);
    assert.equal(facts('core')?.['restarts'], 1, control.what);
    tell(attack, alive, during, last, `${control.what}, ${again}`);
    at.kill(legitimate);
  };

  it('S1 has the command line and the ports of the dead Filebeat', () => {
    afterDeath(
      'S1 same argv, same ports',
      () => {
        const pid = start({ uid: EVE, sockets: coreSockets });
        const [his] = eves();
        assert.equal(his?.['pid'], pid);
        assert.equal((his?.['identity'] as { imitates: string } | undefined)?.imitates, 'core');
        const told = at.trial.status().mismatches.filter(({ name }) => name === his?.['name']);
        assert.ok(told.some(({ code }) => code === 'lookalike'));
        // Nothing is predicted from a file that the user cannot read.
        assert.ok(told.some(({ code }) => code === 'config_unreadable'));
        assert.deepEqual(at.trial.scrape().all('filebeat_port_up', { name: String(his?.['name']) }), []);
        return pid;
      },
      { what: 'restarted by root', comes: core },
    );
  });

  it('S2 is in a network namespace of his own', async () => {
    installUnit();
    at.trial.machine.sh(`systemctl start ${unit}`);
    const alive = await comes(ALIVE);
    at.trial.machine.sh(`systemctl stop ${unit}`);
    await comes(DEAD);
    const pid = start({ sockets: ['udp 0.0.0.0:9001', 'tcp 0.0.0.0:9002'], before: `${asEve} unshare -Urn` });
    const during = at.trial.victim(unit);
    assert.equal(during, DEAD);
    at.kill(pid);
    const last = at.trial.victim(unit);
    assert.equal(last, DEAD);
    installUnit('PrivateNetwork=yes');
    at.trial.machine.sh(`systemctl start ${unit}`);
    const again = await comes(/^up=1 udp\/9001=1 tcp\/9002=1/);
    assert.equal(facts(unit)?.['restarts'], 1);
    tell('S2 unshare -Urn', alive, during, last, `PrivateNetwork= of the unit, ${again}`);
  });

  it('S3 has other files at the same paths', () => {
    afterDeath(
      'S3 unshare -Urm, a tmpfs over /etc/filebeat',
      () => {
        at.trial.machine.write(
          '/srv/s3.sh',
          'mount -t tmpfs tmpfs /etc/filebeat; echo "output.console: {}\nfilebeat.config.inputs.path: /nowhere/*.yml" >/etc/filebeat/core.yml; exec "$@"\n',
          0o755,
        );
        return start({ before: `${asEve} unshare -Urm sh /srv/s3.sh` });
      },
      {
        what: 'configuration moved behind a link',
        comes: () => {
          at.trial.machine.sh(
            'mkdir -p /srv/conf; mv /etc/filebeat/core.yml /srv/conf/; ln -sfn /srv/conf/core.yml /etc/filebeat/core.yml',
          );
          return core();
        },
      },
    );
    at.trial.machine.sh('rm /etc/filebeat/core.yml; mv /srv/conf/core.yml /etc/filebeat/');
  });

  it('S4 starts first', async () => {
    const pid = start({ uid: EVE });
    at.trial.victim();
    installUnit();
    at.trial.machine.sh(`systemctl start ${unit}`);
    const alive = await comes(ALIVE);
    at.trial.machine.sh(`systemctl restart ${unit}`);
    const again = await comes(ALIVE);
    assert.equal(facts(unit)?.['restarts'], 1);
    at.trial.machine.sh(`systemctl stop ${unit}`);
    const during = await comes(DEAD);
    at.kill(pid);
    const last = at.trial.victim(unit);
    assert.equal(last, DEAD);
    tell('S4 there first, the real one restarted', alive, during, last, `restarted by systemd, ${again}`);
  });

  it('S5 has a unit of the same name in his own systemd', async () => {
    installUnit();
    const before = at.trial.victim(unit);
    assert.equal(before, DEAD);
    const group = `${slice}/user@${EVE}.service/app.slice/filebeat-core.service`;
    const pid = start({ uid: EVE, sockets: coreSockets, group });
    const during = at.trial.victim(unit);
    assert.equal(during, before);
    assert.equal(eves()[0]?.['unit'], null);
    at.kill(pid);
    const last = at.trial.victim(unit);
    assert.equal(last, before);
    // Started by sudo in the user's session: it counts, with the note that it runs outside its unit.
    const sudo = start({ sockets: coreSockets, group: `${slice}/session-1.scope` });
    const again = at.trial.victim(unit);
    assert.equal(again, ALIVE);
    assert.equal((facts(unit)?.['identity'] as { outside_unit: boolean } | undefined)?.outside_unit, true);
    tell('S5 systemd --user with a filebeat-core.service', before, during, last, `by hand with sudo, ${again}`);
    at.kill(sudo);
  });

  it('S6 names a control group like a dead container', () => {
    const box = (id: string, root: string) => {
      at.trial.machine.write(`/var/lib/docker/containers/${id}/config.v2.json`, '{"Name":"/web"}', 0o600);
      at.trial.machine.write('/srv/up.sh', 'ip link set lo up; exec "$@"\n');
      at.trial.machine.sh(`
        mkdir -p ${root}/etc/filebeat ${root}/var/lib/filebeat; cp -a /etc/filebeat/core.yml ${root}/etc/filebeat/
        for d in usr bin lib lib64; do mkdir -p ${root}/$d; mount --bind /$d ${root}/$d; done`);
      return start({
        before: `unshare -n -m -i -u sh /srv/up.sh chroot ${root}`,
        sockets: coreSockets,
        group: `/sys/fs/cgroup/system.slice/docker-${id}.scope`,
      });
    };
    const id = '4a7d'.repeat(16);
    const boxed = box(id, '/srv/box');
    const alive = at.trial.victim('web');
    assert.equal(alive, ALIVE);
    at.kill(boxed);
    const dead = at.trial.victim('web');
    assert.equal(dead, DEAD);
    const pid = start({
      before: `${asEve} unshare -Urn sh /srv/up.sh chroot /srv/box`,
      sockets: coreSockets,
      group: `${slice}/user@${EVE}.service/docker-${id}.scope`,
    });
    const during = at.trial.victim('web');
    assert.equal(during, DEAD);
    at.kill(pid);
    const last = at.trial.victim('web');
    assert.equal(last, DEAD);
    const anew = box('81fe'.repeat(16), '/srv/box-anew');
    const again = at.trial.victim('web');
    assert.equal(again, ALIVE);
    assert.equal(facts('web')?.['restarts'], 1);
    at.kill(anew);
    tell('S6 delegated cgroup docker-ID.scope, own chroot', alive, during, last, `made anew by its engine, ${again}`);
  });

  it('S7 lends root’s uid to his argv[0]', () => {
    afterDeath(
      'S7 exec -a filebeat, a program that is set-uid root',
      () => {
        at.trial.machine.sh('cd /usr/share/filebeat/bin; cp filebeat lent; chmod 4755 lent');
        return start({ uid: EVE, program: '/usr/share/filebeat/bin/lent', sockets: coreSockets });
      },
      {
        what: 'its program replaced by an upgrade',
        comes: () => {
          const pid = core();
          at.trial.machine.sh('cd /usr/share/filebeat/bin; cp -p filebeat new; mv new filebeat');
          assert.match(at.trial.machine.sh(`readlink /proc/${pid}/exe`), /deleted/);
          return pid;
        },
      },
    );
  });

  it('S8 holds the ports of a dead Filebeat with a configuration of his own', () => {
    const supervised = () => start({ sockets: coreSockets, group: '/sys/fs/cgroup/system.slice/supervisor.service' });
    writeOwn('bare', wants([9200]));
    afterDeath(
      'S8 own configuration, the dead one’s ports',
      () => start({ uid: EVE, argv: own('bare'), sockets: coreSockets }),
      { what: 'started by a supervisor', comes: supervised },
    );
    at.trial.exporter();
    writeOwn('same', wants([9001]).replace('output.console', '  - {type: tcp, host: "127.0.0.1:9002"}\noutput'));
    afterDeath(
      'S8 a configuration that asks for them too',
      () => start({ uid: EVE, argv: own('same'), sockets: coreSockets }),
      { what: 'restarted by root', comes: core },
    );
    at.trial.exporter();
    afterDeath(
      'S8 the same as a job of his in cron',
      () =>
        start({ uid: EVE, argv: own('same'), sockets: coreSockets, group: '/sys/fs/cgroup/system.slice/cron.service' }),
      {
        what: 'a job of root’s in cron',
        comes: () => start({ sockets: coreSockets, group: '/sys/fs/cgroup/system.slice/cron.service' }),
      },
    );
    // Root's own other configuration does replace it.
    at.trial.machine.sh('cp -p /etc/filebeat/core.yml /etc/filebeat/other.yml');
    const argv = coreArgv.map((word) =>
      word.replace('core.yml', 'other.yml').replace('/var/lib/filebeat', '/var/lib/other'),
    );
    at.kill(core());
    assert.equal(at.trial.victim(), DEAD);
    const pid = start({ argv, sockets: coreSockets });
    at.trial.victim();
    assert.equal(at.trial.victim(), 'absent');
    at.kill(pid);
  });

  it('is not the unit’s instance by running the command of the deb’s init script; the script’s own process is', async () => {
    const input = '/srv/sockets/core';
    installUnit();
    at.trial.machine.sh('rm /etc/systemd/system/filebeat-core.service; systemctl daemon-reload');
    // Like god.c: a daemon that writes its pid to a file and restarts the program when it ends.
    at.trial.machine.write(
      '/usr/share/filebeat/bin/filebeat-god',
      `#!/bin/bash
while getopts r:np:u: option; do case $option in r) root=$OPTARG;; p) pidfile=$OPTARG;; esac; done
shift $((OPTIND - 1))
cd "$root"
(setsid bash -c 'echo $$ >"$0"; while :; do "$@" <${input} >/dev/null 2>&1; sleep 0.2; done' "$pidfile" "$@" </dev/null >/dev/null 2>&1 &)
`,
      0o755,
    );
    at.trial.machine.write(
      '/etc/init.d/filebeat',
      `#!/bin/sh
### BEGIN INIT INFO
# Provides:          filebeat
# Required-Start:    $local_fs
# Required-Stop:     $local_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: filebeat
### END INIT INFO
NAME="filebeat"
DAEMON=/usr/share/\${NAME}/bin/\${NAME}
DAEMON_ARGS="${coreArgv.slice(1).join(' ')}"
PIDFILE=/var/run/filebeat.pid
WRAPPER="/usr/share/\${NAME}/bin/\${NAME}-god"
WRAPPER_ARGS="-r / -n -p $PIDFILE"
case "$1" in
  start) start-stop-daemon --start --pidfile $PIDFILE --exec $WRAPPER -- $WRAPPER_ARGS -- $DAEMON $DAEMON_ARGS ;;
  stop) kill $(cat $PIDFILE) ;;
esac
`,
      0o755,
    );
    at.trial.machine.sh(
      'ln -sf ../init.d/filebeat /etc/rc3.d/S02filebeat; ln -sf ../init.d/filebeat /etc/rc5.d/S02filebeat; systemctl daemon-reload',
    );
    const before = await comes(DEAD, 'filebeat');
    const pid = start({ uid: EVE, sockets: coreSockets, before: 'setsid' });
    const during = at.trial.victim('filebeat');
    assert.equal(during, DEAD);
    at.kill(pid);
    const last = at.trial.victim('filebeat');
    // By hand, so that it runs in no unit; the god process restarts it when it is killed.
    at.trial.machine.sh('/etc/init.d/filebeat start');
    const god = () => Number(at.trial.machine.sh('cat /var/run/filebeat.pid'));
    const again = await comes(ALIVE, 'filebeat');
    const first = Number(facts('filebeat')?.['pid']);
    at.trial.machine.sh(`kill -9 ${first}`);
    await comes(ALIVE, 'filebeat');
    assert.equal(facts('filebeat')?.['restarts'], 1);
    at.kill(god());
    at.kill(Number(facts('filebeat')?.['pid']));
    assert.equal(await comes(DEAD, 'filebeat'), DEAD);
    tell('S1 the command line of an init script', before, during, last, `by the deb’s filebeat-god, ${again}`);
  });
});
