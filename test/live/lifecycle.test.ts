/** No instance is lost when real processes end and the exporter restarts. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { run } from '../support/exporter.js';
import { argvOf, codesOf, healthOf, own, ownHosts } from '../support/lifecycle.js';
import { freePort } from '../support/live.js';
import { rootOnly } from '../support/needs.js';

const ownHost = ownHosts();

/** Three units with one port each; only `core` and `edge` are enabled. */
async function threeFilebeats() {
  const host = ownHost();
  const names = ['core', 'edge', own('lab')];
  const ports = await Promise.all(names.map(() => freePort()));
  const filebeats = [];
  for (const [at, name] of names.entries()) {
    host.configure(name, [`0.0.0.0:${ports[at]}`]);
    if (name !== own('lab')) host.enable(`filebeat@${name}.service`);
    filebeats.push(await host.start(name, [`udp :${ports[at]}`]));
  }
  return { host, ports, core: filebeats[0]!, edge: filebeats[1]!, lab: filebeats[2]! };
}

describe('a Filebeat that ends', rootOnly, () => {
  it('stays with 0 after its end, restarts of the exporter and loss of the state file', async () => {
    const { host, ports, core, edge, lab } = await threeFilebeats();
    const [corePort, edgePort, labPort] = ports;
    let exporter = await host.exporter();
    const running = await exporter.scrape();
    assert.equal(healthOf(running, 'core'), `up=1 pid=${core.pid} udp *:${corePort}=1`);
    assert.equal(healthOf(running, own('lab')), `up=1 pid=${lab.pid} udp *:${labPort}=1`);

    await core.kill();
    await lab.kill('SIGTERM');
    host.remove(`/var/lib/filebeat-${own('lab')}/filebeat.lock`);
    const ended = await exporter.scrape();
    assert.equal(healthOf(ended, 'core'), `up=0 pid= udp *:${corePort}=0`);
    assert.equal(healthOf(ended, own('lab')), `up=0 pid= udp *:${labPort}=0`);
    assert.equal(healthOf(ended, 'edge'), `up=1 pid=${edge.pid} udp *:${edgePort}=1`);
    assert.deepEqual(codesOf(ended, 'core'), ['instance_down']);
    const status = await exporter.status();
    const down = (name: string) => status.mismatches.find((m) => m.name === name && m.code === 'instance_down');
    assert.match(down('core')!.cause, /crashed or was killed.*enabled systemd unit/);
    assert.match(down(own('lab'))!.cause, /stopped cleanly.*seen running before/);

    await exporter.stop();
    exporter = await host.exporter();
    const anew = await exporter.scrape();
    for (const name of ['core', 'edge', own('lab')]) {
      assert.equal(healthOf(anew, name), healthOf(ended, name));
      assert.deepEqual(codesOf(anew, name), codesOf(ended, name));
      assert.equal(
        anew.value('filebeat_instance_last_seen_timestamp_seconds', { name })! >=
          running.value('filebeat_instance_last_seen_timestamp_seconds', { name })!,
        true,
      );
    }

    await exporter.stop();
    rmSync(host.stateFile);
    exporter = await host.exporter();
    const forgetful = await exporter.scrape();
    assert.equal(healthOf(forgetful, 'core'), `up=0 pid= udp *:${corePort}=0`);
    assert.equal(healthOf(forgetful, 'edge'), healthOf(ended, 'edge'));
    assert.equal(healthOf(forgetful, own('lab')), 'absent');
    await exporter.stop();
  });

  it('is named by check, with its unit and the command to try', async () => {
    const { host, core } = await threeFilebeats();
    await core.kill();
    const check = await run(['check', ...host.flags]);
    assert.equal(check.code, 2);
    assert.match(check.stdout, /^CRITICAL/);
    assert.match(check.stdout, /Filebeat is not running {2}core\n(.*\n)*?.*systemctl start filebeat@core\.service/);
    const listed = check.stdout.split('\n').find((line) => /^core +down/.test(line));
    assert.match(listed ?? '', /filebeat@core\.service/);
    assert.equal(host.state(), undefined, 'check writes nothing');
  });
});

describe('after a reboot', rootOnly, () => {
  it('units, globs and declarations say what is expected, without a state file', async () => {
    const host = ownHost();
    const [core, pattern, declared, off] = await Promise.all(Array.from({ length: 4 }, freePort));
    host.configure('core', [`0.0.0.0:${core}`]);
    host.enable('filebeat@core.service');
    host.configure(own('pattern'), [`127.0.0.1:${pattern}`]);
    host.configure('declared', [`127.0.0.1:${declared}`]);
    host.configure('off', [`127.0.0.1:${off}`]);
    host.write(
      '/exporter.yml',
      `discovery: {config_globs: [/etc/filebeat/patt*.yml]}
instances:
  - {name: by-hand, argv: [${argvOf('declared').join(', ')}]}
`,
    );
    const exporter = await host.exporter(`--config.file=${host.root}/exporter.yml`);
    const scrape = await exporter.scrape();
    assert.equal(healthOf(scrape, 'core'), `up=0 pid= udp *:${core}=0`);
    assert.equal(healthOf(scrape, own('pattern')), `up=0 pid= udp 127.0.0.1:${pattern}=0`);
    assert.equal(healthOf(scrape, 'by-hand'), `up=0 pid= udp 127.0.0.1:${declared}=0`);
    assert.deepEqual(scrape.all('filebeat_instance_up', { config: '/etc/filebeat/off.yml' }), []);
    const { instances } = await exporter.status();
    const origin = (name: string) => instances.find((one) => one.name === name)?.origin;
    assert.deepEqual(['core', own('pattern'), 'by-hand'].map(origin), ['systemd', 'config_glob', 'declared']);

    // Each is recognised when it starts, and keeps its name.
    const pids = await Promise.all(
      [
        ['core', `udp :${core}`],
        [own('pattern'), `udp 127.0.0.1:${pattern}`],
        ['declared', `udp 127.0.0.1:${declared}`],
      ].map(async ([name, socket]) => (await host.start(name!, [socket!])).pid),
    );
    const up = await exporter.scrape();
    assert.equal(healthOf(up, 'core'), `up=1 pid=${pids[0]} udp *:${core}=1`);
    assert.equal(healthOf(up, own('pattern')), `up=1 pid=${pids[1]} udp 127.0.0.1:${pattern}=1`);
    assert.equal(healthOf(up, 'by-hand'), `up=1 pid=${pids[2]} udp 127.0.0.1:${declared}=1`);
    await exporter.stop();
  });
});
