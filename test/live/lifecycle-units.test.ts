/** Units and their processes, matched by control group or by files; and the same end in a process exporter. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { argvOf, codesOf, healthOf, own, ownHosts } from '../support/lifecycle.js';
import { freePort, until } from '../support/live.js';
import { needs, rootOnly } from '../support/needs.js';

const ownHost = ownHosts();

/** Makes a control group of a service: cgroup v2, or systemd's hierarchy of v1. Undefined: not possible here. */
function makeGroup(unit: string): { add(pid: number): boolean; remove(): void } | undefined {
  for (const top of ['/sys/fs/cgroup/unified', '/sys/fs/cgroup', '/sys/fs/cgroup/systemd']) {
    const group = `${top}/${unit}`;
    try {
      mkdirSync(group);
    } catch {
      continue; // Not mounted, or not writable.
    }
    const remove = () => rmdirSync(group);
    if (existsSync(`${group}/cgroup.procs`))
      return {
        remove,
        add(pid) {
          writeFileSync(`${group}/cgroup.procs`, String(pid));
          return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(unit);
        },
      };
    remove();
  }
  return undefined;
}

const needsGroups = needs('leave to make control groups', () => {
  const probe = makeGroup(`probe-${process.pid}.service`);
  probe?.remove();
  return probe !== undefined;
});

describe('a process and its unit', rootOnly, () => {
  it('stay one instance by control group if the unit is edited meanwhile', needsGroups, async () => {
    const unit = `filebeat@${own('moving')}.service`;
    const group = makeGroup(unit);
    assert.ok(group, 'a control group can be made');
    const host = ownHost();
    try {
      const name = own('moving');
      const [before, now] = [await freePort(), await freePort()];
      host.configure(name, [`127.0.0.1:${before}`], 60);
      const filebeat = await host.start(name, [`udp 127.0.0.1:${before}`]);
      assert.ok(group.add(filebeat.pid));
      // The unit already has other files and data, and waits for a restart.
      host.configure('elsewhere', [`127.0.0.1:${now}`], 60);
      host.write(
        '/etc/systemd/system/filebeat@.service',
        `[Service]\nExecStart=${argvOf('elsewhere').join(' ')}\n[Install]\nWantedBy=multi-user.target\n`,
      );
      host.enable(unit);
      const exporter = await host.exporter();
      const running = await exporter.scrape();
      assert.equal(healthOf(running, name), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${before}=1`);
      const info = running.one('filebeat_instance_info', { name }).labels;
      assert.equal(info.get('unit'), unit);
      assert.deepEqual(running.all('filebeat_instance_up', { config: '/etc/filebeat/elsewhere.yml' }), []);
      assert.deepEqual((await exporter.status()).instances.find((one) => one.name === name)?.origins, [
        'process',
        'systemd',
        'remembered',
      ]);

      // While down, it is what the unit would start, with the same name and history.
      await filebeat.kill();
      const down = await exporter.scrape();
      assert.equal(healthOf(down, name), `up=0 pid= udp 127.0.0.1:${now}=0`);
      const next = await host.start('elsewhere', [`udp 127.0.0.1:${now}`]);
      group.add(next.pid);
      const restarted = await exporter.scrape();
      assert.equal(healthOf(restarted, name), `up=1 pid=${next.pid} udp 127.0.0.1:${now}=1`);
      assert.equal(restarted.value('filebeat_instance_restarts_total', { name }), 1);
    } finally {
      await host.end();
      await until('the group is empty', () => {
        try {
          group.remove();
          return true;
        } catch {
          return false;
        }
      });
    }
  });

  it('with RootDirectory= are one instance: their root is the same', async () => {
    const host = ownHost();
    const port = await freePort();
    host.write('/srv/jail/etc/filebeat/jailed.yml', '');
    host.write('/srv/jail/etc/hosts', '');
    host.write('/srv/jail/etc/services', '');
    const program = '/usr/share/filebeat/bin/filebeat';
    mkdirSync(dirname(join(host.root, 'srv/jail', program)), { recursive: true });
    copyFileSync(join(host.root, program), join(host.root, 'srv/jail', program));
    host.write(
      '/srv/jail/etc/filebeat/jailed.yml',
      `filebeat.inputs: [{type: udp, host: "127.0.0.1:${port}"}]\noutput.console.enabled: true\n`,
      60,
    );
    host.write(
      '/etc/systemd/system/jailed.service',
      `[Service]\nRootDirectory=/srv/jail\nExecStart=${argvOf('jailed').join(' ')}\n[Install]\nWantedBy=multi-user.target\n`,
    );
    host.enable('jailed.service');
    const exporter = await host.exporter();
    assert.equal(healthOf(await exporter.scrape(), 'jailed'), `up=0 pid= udp 127.0.0.1:${port}=0`);
    const filebeat = await host.start('jailed', [`udp 127.0.0.1:${port}`], { root: `${host.root}/srv/jail` });
    const running = await exporter.scrape();
    assert.equal(healthOf(running, 'jailed'), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
    assert.equal(running.all('filebeat_instance_up', { config: '/etc/filebeat/jailed.yml' }).length, 1);
    host.write('/srv/jail/var/lib/filebeat-jailed/filebeat.lock', '');
    await filebeat.kill();
    const down = await exporter.scrape();
    assert.equal(healthOf(down, 'jailed'), `up=0 pid= udp 127.0.0.1:${port}=0`);
    assert.deepEqual(codesOf(down, 'jailed'), ['instance_down']);
    const told = (await exporter.status()).mismatches.find((m) => m.name === 'jailed');
    assert.match(told?.cause ?? '', /crashed or was killed/);
    assert.equal(told?.remedy, 'systemctl start jailed.service');
  });
});

describe('Debian’s process exporter and this exporter', rootOnly, () => {
  const program = '/usr/bin/prometheus-process-exporter';
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const installed = needs('prometheus-process-exporter', () => existsSync(program));
  it('differ for a Filebeat never seen: the former shows nothing, this one 0', installed, async () => {
    const host = ownHost();
    const port = await freePort();
    host.configure('beside', [`127.0.0.1:${port}`], 60);
    host.enable('filebeat@beside.service');
    host.write(
      '/process-exporter.yml',
      'process_names: [{name: "{{.Matches.Name}}", cmdline: ["/etc/filebeat/(?P<Name>beside)[.]yml"]}]\n',
    );
    const web = await freePort();
    const start = async () => {
      const child = spawn(
        program,
        ['-config.path', `${host.root}/process-exporter.yml`, `-web.listen-address=127.0.0.1:${web}`],
        {
          stdio: 'ignore',
        },
      );
      children.push(child);
      return child;
    };
    const series = async () => {
      const text = await until('the process exporter answers', () =>
        fetch(`http://127.0.0.1:${web}/metrics`).then(
          (response) => response.text(),
          () => undefined,
        ),
      );
      return text.split('\n').filter((line) => /^namedprocess_namegroup_num_procs\{groupname="beside"/.test(line));
    };
    let theirs = await start();
    let ours = await host.exporter();
    const filebeat = await host.start('beside', [`udp 127.0.0.1:${port}`]);
    assert.equal((await series()).length, 1);
    assert.equal(healthOf(await ours.scrape(), 'beside'), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
    await filebeat.kill();
    // After both were restarted, as after a reboot.
    const ended = new Promise((resolve) => theirs.once('exit', resolve));
    theirs.kill();
    await ended;
    await ours.stop();
    theirs = await start();
    ours = await host.exporter();
    assert.deepEqual(await series(), []);
    assert.equal(healthOf(await ours.scrape(), 'beside'), `up=0 pid= udp 127.0.0.1:${port}=0`);
  });
});
