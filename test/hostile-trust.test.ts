/**
 * Nobody can quiet it: what an ordinary user does changes nothing of what is said of another user's Filebeat. Each trial
 * on a machine with a real systemd, kernel and users; beside each what has to go on counting as the same instance.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { until } from './support/live.js';
import { bindingInput } from './support/machine-filebeat.js';
import { needsSystemd } from './support/systemd.js';
import { coreArgv, coreSockets, EVE, openTrial, type Trial } from './support/trust.js';

const ALIVE = 'up=1 udp/9001=1 tcp/9002=1';
const DEAD = 'up=0 udp/9001=0 tcp/9002=0 instance_down';

describe('an ordinary user', { ...needsSystemd, timeout: 600_000 }, () => {
  let trial: Trial;
  before(async () => {
    trial = await openTrial();
  });
  after(() => trial?.end());
  const running: number[] = [];
  beforeEach(() => {
    for (const pid of running.splice(0)) trial.kill(pid);
    trial.machine.sh(
      'rm -rf /etc/systemd/system/filebeat* /etc/systemd/system/multi-user.target.wants/filebeat*; systemctl daemon-reload',
    );
    trial.exporter();
  });
  const start: Trial['start'] = (options) => {
    const pid = trial.start(options);
    running.push(pid);
    return pid;
  };
  const core = () => start({ sockets: coreSockets });
  const eves = (name: RegExp | string = /./) =>
    trial
      .status()
      .instances.filter(
        (one) =>
          one['ordinary_user'] === EVE &&
          (typeof name === 'string' ? one['name'] === name : name.test(String(one['name']))),
      );
  /** Says what was said of the victim before, during and after: `npm run test:hostile` prints it. */
  const tell = (attack: string, before: string, during: string, after: string) =>
    console.log(`# ${attack.padEnd(50)} | ${[before, during, after].map((said) => said.trim()).join(' | ')}`);

  const afterDeath = (attack: string, act: () => number | undefined) => {
    const real = core();
    const alive = trial.victim();
    assert.equal(alive, ALIVE);
    trial.kill(real);
    assert.equal(trial.victim(), DEAD);
    const pid = act();
    const during = trial.victim();
    assert.equal(during, DEAD);
    if (pid !== undefined) trial.kill(pid);
    const last = trial.victim();
    assert.equal(last, DEAD);
    tell(attack, alive, during, last);
  };

  it('S1 has the same command line and the dead one’s ports', () => {
    afterDeath('S1 same argv, same ports', () => {
      const pid = start({ uid: EVE, sockets: coreSockets });
      const [his] = eves();
      assert.equal(his?.['pid'], pid);
      assert.deepEqual((his?.['identity'] as { imitates: string } | undefined)?.imitates, 'core');
      const codes = trial
        .status()
        .mismatches.filter(({ name }) => name === his?.['name'])
        .map(({ code }) => code);
      assert.ok(codes.includes('lookalike'), String(codes));
      return pid;
    });
  });

  it('S2 is in a network namespace of his own', () => {
    afterDeath('S2 unshare -Urn', () =>
      start({
        sockets: ['udp 0.0.0.0:9001', 'tcp 0.0.0.0:9002'],
        before: `setpriv --reuid ${EVE} --regid ${EVE} --clear-groups unshare -Urn`,
      }),
    );
  });

  it('S3 has other files at the same paths', () => {
    afterDeath('S3 unshare -Urm, a tmpfs over /etc/filebeat', () => {
      trial.machine.write(
        '/srv/s3.sh',
        'mount -t tmpfs tmpfs /etc/filebeat; echo "output.console: {}\nfilebeat.config.inputs.path: /nowhere/*.yml" >/etc/filebeat/core.yml; exec "$@"\n',
        0o755,
      );
      return start({ before: `setpriv --reuid ${EVE} --regid ${EVE} --clear-groups unshare -Urm sh /srv/s3.sh` });
    });
  });

  it('S4 is there first', () => {
    const pid = start({ uid: EVE });
    trial.victim();
    const real = core();
    assert.equal(trial.victim(), ALIVE);
    trial.kill(real);
    const during = trial.victim();
    assert.equal(during, DEAD);
    trial.kill(pid);
    assert.equal(trial.victim(), DEAD);
    tell('S4 there first, the real one restarted', ALIVE, during, trial.victim());
  });

  const unitText = (more = '') => `[Service]
ExecStart=/usr/share/filebeat/bin/filebeat ${coreArgv.slice(1).join(' ')}
StandardInput=file:/srv/sockets/core
${more}
[Install]
WantedBy=multi-user.target
`;

  it('S5 has a unit of the same name in his own systemd', () => {
    trial.machine.write('/etc/systemd/system/filebeat-core.service', unitText());
    trial.machine.sh('systemctl enable filebeat-core 2>/dev/null; systemctl daemon-reload');
    const name = 'filebeat-core';
    assert.match(trial.victim(name), /^up=0 .*instance_down$/);
    const before = trial.victim(name);
    const group = `/sys/fs/cgroup/user.slice/user-${EVE}.slice/user@${EVE}.service/app.slice/filebeat-core.service`;
    const pid = start({ uid: EVE, sockets: coreSockets, group });
    const during = trial.victim(name);
    assert.equal(during, before);
    assert.equal(eves()[0]?.['unit'], null);
    trial.kill(pid);
    assert.equal(trial.victim(name), before);
    tell('S5 systemd --user with a filebeat-core.service', before, during, trial.victim(name));
  });

  it('S6 names his group like a dead container', () => {
    const id = '4a7d'.repeat(16);
    trial.machine.sh(
      'mkdir -p /srv/box/etc/filebeat /srv/box/usr /srv/box/bin /srv/box/lib /srv/box/lib64 /srv/box/var/lib/filebeat; cp -a /etc/filebeat/core.yml /srv/box/etc/filebeat/; for d in usr bin lib lib64; do mount --bind /$d /srv/box/$d; done',
    );
    const boxed = start({
      before: 'chroot /srv/box',
      sockets: ['udp 127.0.0.1:9101'],
      group: `/sys/fs/cgroup/system.slice/docker-${id}.scope`,
    });
    const name = String(trial.status().instances.find((one) => one['pid'] === boxed)?.['name']);
    const alive = trial.victim(name);
    trial.kill(boxed);
    const dead = trial.victim(name);
    assert.match(dead, /^up=0 .*instance_down/);
    const pid = start({
      before: `setpriv --reuid ${EVE} --regid ${EVE} --clear-groups unshare -Ur chroot /srv/box`,
      sockets: coreSockets,
      group: `/sys/fs/cgroup/user.slice/user-${EVE}.slice/user@${EVE}.service/docker-${id}.scope`,
    });
    const during = trial.victim(name);
    assert.equal(during, dead);
    trial.kill(pid);
    assert.equal(trial.victim(name), dead);
    tell('S6 delegated cgroup docker-ID.scope, own chroot', alive, during, trial.victim(name));
  });

  it('S7 lends root’s uid to his argv[0]', () => {
    afterDeath('S7 exec -a filebeat, a program that is set-uid root', () => {
      trial.machine.sh('cd /usr/share/filebeat/bin; cp filebeat lent; chmod 4755 lent');
      return start({ uid: EVE, program: '/usr/share/filebeat/bin/lent', sockets: coreSockets });
    });
  });

  const own = (name: string) => ['filebeat', '-c', `/home/eve/${name}.yml`, '--path.data', `/home/eve/${name}`];
  const writeOwn = (name: string, text: string) => {
    trial.machine.write(`/home/eve/${name}.yml`, text);
    trial.machine.sh(`chown ${EVE} /home/eve/${name}.yml`);
  };
  const wants = (ports: readonly number[]) =>
    `filebeat.inputs:\n${ports.map((port) => `- {type: udp, host: "127.0.0.1:${port}"}\n`).join('')}output.console: {enabled: true}\n`;

  it('S8 holds the ports of a dead one under a configuration of his own', () => {
    writeOwn('bare', wants([9200]));
    afterDeath('S8 own configuration, the dead one’s ports', () =>
      start({ uid: EVE, argv: own('bare'), sockets: coreSockets }),
    );
    writeOwn('same', `${wants([9001])}`.replace('output', '- {type: tcp, host: "127.0.0.1:9002"}\noutput'));
    afterDeath('S8 a configuration that asks for them too', () =>
      start({ uid: EVE, argv: own('same'), sockets: coreSockets }),
    );
  });

  it('S9 asks for more than there is room for', () => {
    const pid = core();
    const before = trial.victim();
    for (const at of [0, 1, 2, 3]) {
      writeOwn(`many${at}`, wants(Array.from({ length: 2000 }, (_, n) => 10_000 + at * 2000 + n)));
      start({ uid: EVE, argv: own(`many${at}`) });
    }
    const during = trial.victim();
    assert.equal(during, ALIVE);
    const told = trial.scrape();
    assert.equal(told.value('filebeat_instance_healthy', { name: 'core' }), 1);
    const { gaps, instances } = trial.status();
    assert.ok(gaps.some(({ reason, subject }) => reason === 'limit' && /listeners of “many/.test(String(subject))));
    assert.ok(instances.every((one) => one['ordinary_user'] !== EVE || one['healthy'] !== true));
    trial.kill(pid);
    assert.equal(trial.victim(), DEAD);
    tell('S9 four processes with 2,000 listeners each', before, during, trial.victim());
  });

  it('S10 starts many that live for a moment', () => {
    const real = core();
    trial.victim();
    trial.kill(real);
    const known = trial.status().instances.length;
    for (let round = 0; round < 3; round++) {
      const pids = Array.from({ length: 8 }, (_, n) => {
        writeOwn(`short${round}-${n}`, wants([9300 + n]));
        return trial.start({ uid: EVE, argv: own(`short${round}-${n}`) });
      });
      assert.equal(trial.victim(), DEAD);
      for (const pid of pids) trial.kill(pid);
    }
    assert.equal(trial.victim(), DEAD);
    assert.equal(trial.status().instances.length, known);
    tell('S10 processes that live for one scan', DEAD, DEAD, trial.victim());
  });

  /** A dead one is told within the time of a scrape, whatever his cost. */
  const beside = (attack: string, act: () => void) => {
    const real = core();
    trial.victim();
    trial.kill(real);
    act();
    const [first, second] = [trial.victim(), trial.victim()];
    assert.deepEqual([first, second], [DEAD, DEAD]);
    assert.equal(trial.scrape().value('filebeat_port_exporter_scan_success'), 1);
    tell(attack, DEAD, first, second);
  };

  it('S12 has a path that is dear to look at', () => {
    beside('S12 -c with 120,000 dashes', () => {
      start({ uid: EVE, argv: ['filebeat', '-c', `/x/a${'-'.repeat(120_000)}a.yml`, '--path.data', '/home/eve/d'] });
    });
    const his = eves()[0];
    assert.ok(String(his?.['config']).length < 5000 && String(his?.['name']).length < 5000);
  });

  it('S13 has configurations that are dear to work out', () => {
    beside('S13 860 KB of processors, links and patterns', () => {
      const bad = '- drop_event: {when: {nonsense: {a: 1}}}\n'.repeat(20_000);
      writeOwn('dear', `filebeat.inputs: [{type: udp, host: "127.0.0.1:9500"}]\nprocessors:\n${bad}`);
      writeOwn('glob', `filebeat.config.inputs: {path: "/home/eve/s/*/*/*/*"}\noutput.console: {enabled: true}\n`);
      trial.machine.sh(`mkdir -p /home/eve/s; cd /home/eve/s; for n in $(seq 40); do ln -sfn . l$n; done`);
      for (const name of ['dear', 'glob']) start({ uid: EVE, argv: own(name) });
    });
    const gaps = trial.status().gaps.filter(({ reason }) => reason === 'limit');
    assert.ok(
      gaps.some(({ subject }) => /dear|glob|eve/.test(String(subject))),
      JSON.stringify(gaps),
    );
  });

  it('S14 bears a name before the one it belongs to is installed', () => {
    trial.exporter({ settings: 'discovery: {remember_after: 0s}\n' });
    writeOwn('filebeat-core', wants([9400]));
    start({ uid: EVE, argv: own('filebeat-core') });
    assert.equal(eves('filebeat-core').length, 1);
    trial.scrape();
    trial.machine.write('/etc/systemd/system/filebeat-core.service', unitText());
    trial.machine.sh('systemctl enable filebeat-core 2>/dev/null; systemctl daemon-reload');
    const during = trial.victim('filebeat-core');
    assert.match(during, /^up=0 .*instance_down$/);
    assert.deepEqual(
      eves().map(({ name }) => name),
      ['filebeat-core-uid4242'],
    );
    tell('S14 a name taken before its owner is there', 'absent', during, trial.victim('filebeat-core'));
  });

  it('S15 runs beside the real one, on its data', () => {
    core();
    const before = trial.victim();
    const pid = start({ uid: EVE, sockets: coreSockets });
    const during = trial.victim();
    assert.equal(during, ALIVE);
    const name = eves()[0]?.['name'];
    const his = trial.status().mismatches.filter((one) => one['name'] === name);
    assert.ok(his.some(({ code, severity }) => code === 'data_path_conflict' && severity === 'warning'));
    trial.kill(pid);
    assert.equal(trial.victim(), ALIVE);
    assert.deepEqual(eves(), []);
    tell('S15 a twin of the real one', before, during, trial.victim());
  });
});

describe('what root does legitimately goes on as the same instance', { ...needsSystemd, timeout: 600_000 }, () => {
  let trial: Trial;
  const unit = (more = '') => `[Service]
ExecStart=/usr/share/filebeat/bin/filebeat ${coreArgv.slice(1).join(' ')}
StandardInput=file:/srv/sockets/core
StandardOutput=null
${more}
[Install]
WantedBy=multi-user.target
`;
  const install = (more = '') => {
    trial.machine.write('/etc/systemd/system/filebeat-core.service', unit(more));
    trial.machine.sh(
      'systemctl daemon-reload; systemctl enable filebeat-core 2>/dev/null; systemctl restart filebeat-core',
    );
  };
  const name = 'filebeat-core';
  const facts = () => trial.status().instances.find((one) => one['name'] === name);
  /** systemd may still be about to execute the program. */
  const comes = (what: RegExp) => until(`${name} is ${what.source}`, () => what.test(trial.victim(name)), 30);
  const isUp = /^up=1 udp\/9001=1 tcp\/9002=1/;
  before(async () => {
    trial = await openTrial();
    trial.machine.write('/srv/sockets/core', bindingInput(coreSockets));
    trial.machine.sh("grep -q beats /etc/passwd || echo 'beats:x:998:998::/:/bin/false' >>/etc/passwd");
    trial.exporter({ settings: 'thresholds: {restarts: {count: 50, within: 10m}}\n' });
    install();
    await comes(isUp);
  });
  after(() => trial?.end());

  it('a restart', async () => {
    trial.machine.sh('systemctl restart filebeat-core');
    await comes(isUp);
    await until('the restart is counted', () => facts()?.['restarts'] === 1, 30);
  });

  it('a new User= with the capability that it needs', async () => {
    install('User=beats\nAmbientCapabilities=CAP_DAC_READ_SEARCH');
    await comes(isUp);
    await until('the restart is counted', () => facts()?.['restarts'] === 2, 30);
    install();
    await until('the restart is counted', () => facts()?.['restarts'] === 3, 30);
  });

  it('its program replaced by an upgrade, and its configuration moved behind a link', async () => {
    trial.machine.sh(`cd /usr/share/filebeat/bin; cp filebeat new; mv new filebeat
      cd /etc/filebeat; mkdir -p /srv/conf; cp -p core.yml /srv/conf/core.yml; ln -sfn /srv/conf/core.yml core.yml`);
    await comes(isUp);
    trial.machine.sh('systemctl restart filebeat-core');
    await comes(isUp);
    await until('the restart is counted', () => facts()?.['restarts'] === 4, 30);
  });

  it('started by hand, in the session of a user with sudo, and by a script that is its parent', async () => {
    trial.machine.sh('systemctl stop filebeat-core');
    await comes(/^up=0/);
    const session = `/sys/fs/cgroup/user.slice/user-${EVE}.slice/session-1.scope`;
    const pid = trial.start({ sockets: coreSockets, group: session });
    await comes(isUp);
    const identity = facts()?.['identity'] as { outside_unit: boolean } | undefined;
    assert.equal(identity?.outside_unit, true);
    trial.kill(pid);
    await comes(/^up=0/);
  });

  it('a supervisor in a unit of its own runs what no unit asks for any more', async () => {
    trial.machine.sh(
      'systemctl disable filebeat-core 2>/dev/null; rm /etc/systemd/system/filebeat-core.service; systemctl daemon-reload',
    );
    await comes(/^up=0/);
    const pid = trial.start({ sockets: coreSockets, group: '/sys/fs/cgroup/system.slice/supervisor.service' });
    await comes(isUp);
    trial.kill(pid);
  });
});
