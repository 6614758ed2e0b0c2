/** Counters and state over the lives of real processes, and how they are forgotten. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { run } from '../support/exporter.js';
import { healthOf, type OwnHost, own, ownHosts } from '../support/lifecycle.js';
import { freePort, until } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import type { Scrape } from '../support/text-format.js';

const plainHost = ownHosts();
/** A down instance with its single port. */
const isDown = /^up=0 pid= udp 127\.0\.0\.1:\d+=0$/;
const ownHost = (settings?: string) => {
  const host = plainHost();
  if (settings !== undefined) host.write('/exporter.yml', settings);
  return host;
};
const settingsOf = (host: OwnHost) => `--config.file=${host.root}/exporter.yml`;

async function send(port: number, count: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let sent = 0; sent < count; sent++)
    await new Promise((resolve) => socket.send(Buffer.alloc(500), port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => socket.close(() => resolve()));
}

describe('a restarted Filebeat', rootOnly, () => {
  it('is the same instance: restarts are counted, drops continue, the name stays', async () => {
    const host = ownHost();
    const port = await freePort();
    host.configure(own('again'), [`127.0.0.1:${port}`]);
    let filebeat = await host.start(own('again'), []);
    await filebeat.bind(`udp 127.0.0.1:${port}`, { receiveBuffer: 4096 });
    const exporter = await host.exporter();
    const restarts = { name: own('again'), config: `/etc/filebeat/${own('again')}.yml` };
    const drops = { ...restarts, protocol: 'udp', address: '127.0.0.1', port: String(port) };
    assert.equal((await exporter.scrape()).value('filebeat_instance_restarts_total', restarts), 0);
    await send(port, 100);
    const before = (await exporter.scrape()).value('filebeat_port_drops_total', drops)!;
    assert.ok(before > 0 && before < 100, `${before}`);

    await filebeat.kill();
    assert.equal((await exporter.scrape()).value('filebeat_port_drops_total', drops), before);
    filebeat = await host.start(own('again'), []);
    await filebeat.bind(`udp 127.0.0.1:${port}`, { receiveBuffer: 4096 });
    const after = await exporter.scrape();
    assert.equal(healthOf(after, own('again')), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
    assert.equal(after.value('filebeat_instance_restarts_total', restarts), 1);
    assert.equal(after.value('filebeat_port_drops_total', drops), before);
    await send(port, 100);
    const more = (await exporter.scrape()).value('filebeat_port_drops_total', drops)!;
    assert.ok(more > before, `${before}, then ${more}`);

    await exporter.stop();
    const anew = await (await host.exporter()).scrape();
    assert.equal(anew.value('filebeat_instance_restarts_total', restarts), 1);
    assert.equal(anew.value('filebeat_port_drops_total', drops), more);
  });

  it('is flapping if it restarts too often, until the window has passed', async () => {
    const host = ownHost('thresholds: {restarts: {count: 2, within: 8s}}\n');
    host.configure(own('flap'), [`127.0.0.1:${await freePort()}`]);
    const exporter = await host.exporter(settingsOf(host));
    let filebeat = await host.start(own('flap'), []);
    const told: number[] = [];
    const flaps = (scrape: Scrape) =>
      scrape.all('filebeat_mismatch', { name: own('flap'), code: 'instance_flapping' }).length;
    for (let starts = 0; starts < 3; starts++) {
      told.push(flaps(await exporter.scrape()));
      await filebeat.kill();
      filebeat = await host.start(own('flap'), []);
    }
    told.push(flaps(await exporter.scrape()));
    assert.deepEqual(told, [0, 0, 1, 1]);
    await until('it is calm again', async () => flaps(await exporter.scrape()) === 0);
  });

  it('has one more restart after a reboot of the host, with whatever pid', async () => {
    const host = ownHost();
    const port = await freePort();
    host.configure(own('boot'), [`127.0.0.1:${port}`]);
    const filebeat = await host.start(own('boot'), [`udp 127.0.0.1:${port}`]);
    let exporter = await host.exporter();
    await exporter.scrape();
    await exporter.stop();
    // The state file of an earlier boot, in which another process had the same pid and start time.
    const earlier = host.state()!.replaceAll(/"bootId": "[^"]+"/g, '"bootId": "an-earlier-one"');
    writeFileSync(host.stateFile, earlier.replaceAll(/"netns": \d+/g, '"netns": 17'));
    exporter = await host.exporter();
    const scrape = await exporter.scrape();
    assert.equal(healthOf(scrape, own('boot')), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`);
    assert.equal(scrape.value('filebeat_instance_restarts_total', { name: own('boot') }), 1);
    await exporter.stop();

    await filebeat.kill();
    writeFileSync(host.stateFile, earlier.replaceAll(/"netns": \d+/g, '"netns": 17'));
    const down = await (await host.exporter()).scrape();
    assert.equal(healthOf(down, own('boot')), `up=0 pid= udp 127.0.0.1:${port}=0`);
    assert.equal(down.one('filebeat_instance_info', { name: own('boot') }).labels.get('network_namespace'), 'host');
  });
});

describe('a remembered Filebeat', rootOnly, () => {
  it('is forgotten after `discovery.remember`', async () => {
    const host = ownHost('discovery: {remember: 6s}\n');
    host.configure(own('short'), [`127.0.0.1:${await freePort()}`]);
    const filebeat = await host.start(own('short'), []);
    const exporter = await host.exporter(settingsOf(host));
    await exporter.scrape();
    await filebeat.kill();
    assert.match(healthOf(await exporter.scrape(), own('short')), isDown);
    await until('it has expired', async () => healthOf(await exporter.scrape(), own('short')) === 'absent');
    // The exporter writes it while it runs.
    await until('the file knows it no longer', () => !host.state()!.includes(own('short')));
  });

  it('is replaced by another one that serves all its ports, but not by one that serves some', async () => {
    const host = ownHost();
    const [a, b] = [await freePort(), await freePort()];
    const sockets = [`udp 127.0.0.1:${a}`, `udp 127.0.0.1:${b}`];
    host.configure(own('old'), [`127.0.0.1:${a}`, `127.0.0.1:${b}`]);
    const old = await host.start(own('old'), sockets);
    const exporter = await host.exporter();
    await exporter.scrape();
    await old.kill();
    host.configure(own('moved'), [`127.0.0.1:${a}`, `127.0.0.1:${b}`]);
    const moved = await host.start(own('moved'), sockets.slice(0, 1));
    const half = await exporter.scrape();
    assert.equal(
      healthOf(half, own('old')),
      `up=0 pid= udp 127.0.0.1:${Math.min(a, b)}=0 udp 127.0.0.1:${Math.max(a, b)}=0`,
    );
    await moved.bind(sockets[1]!);
    const whole = await exporter.scrape();
    assert.equal(healthOf(whole, own('old')), 'absent');
    assert.match(healthOf(whole, own('moved')), /^up=1 .*=1 .*=1$/);
  });

  it('is forgotten by DELETE, but not while it is expected, and only if lifecycle routes are enabled', async () => {
    const host = ownHost();
    for (const name of ['gone', 'lives', 'wanted']) host.configure(own(name), [`127.0.0.1:${await freePort()}`]);
    host.enable(`filebeat@${own('wanted')}.service`);
    const gone = await host.start(own('gone'), []);
    await host.start(own('lives'), []);
    const closed = await host.exporter();
    await closed.scrape();
    await gone.kill();
    const forget = (exporter: typeof closed, name: string) =>
      exporter.get(`/api/v1/instances/${name}`, { method: 'DELETE' }).then((response) => response.status);
    assert.equal(await forget(closed, own('gone')), 403);
    assert.match(healthOf(await closed.scrape(), own('gone')), isDown);
    await closed.stop();

    const open = await host.exporter('--web.enable-lifecycle', '--scan.freshness=1h');
    // There was no scan yet: DELETE scans before it decides.
    assert.equal(await forget(open, own('lives')), 404);
    assert.equal(await forget(open, own('wanted')), 404);
    assert.equal(await forget(open, own('nobody')), 404);
    assert.match(healthOf(await open.scrape(), own('gone')), isDown);
    assert.equal(await forget(open, own('gone')), 200);
    assert.equal(healthOf(await open.scrape(), own('gone')), 'absent', 'although a scan is fresh for an hour');
    assert.equal(healthOf(await open.scrape(), own('lives')).split(' ')[0], 'up=1');
    assert.doesNotMatch(host.state()!, new RegExp(own('gone')));
    assert.equal(await forget(open, own('gone')), 404);
  });

  it('is forgotten by the command, and a running server notices', async () => {
    const host = ownHost();
    for (const name of ['gone', 'lives']) host.configure(own(name), [`127.0.0.1:${await freePort()}`]);
    const gone = await host.start(own('gone'), []);
    await host.start(own('lives'), []);
    const exporter = await host.exporter();
    await exporter.scrape();
    await gone.kill();
    assert.match(healthOf(await exporter.scrape(), own('gone')), isDown);
    const refused = await run(['forget', ...host.flags, own('lives')]);
    assert.equal(refused.code, 2);
    assert.match(refused.stdout + refused.stderr, /lives-\d+ is still expected to run/);
    assert.equal((await run(['forget', ...host.flags, own('nobody')])).code, 2);
    assert.equal((await run(['forget', ...host.flags, own('gone')])).code, 0);
    const after = await exporter.scrape();
    assert.equal(healthOf(after, own('gone')), 'absent');
    assert.equal(healthOf(after, own('lives')).split(' ')[0], 'up=1');
    // The state that the server writes at its end does not restore it.
    await exporter.stop();
    assert.doesNotMatch(host.state()!, new RegExp(own('gone')));
  });

  it('that is forgotten after the last scan of a server is not restored when the server ends', async () => {
    const host = ownHost();
    host.configure(own('gone'), [`127.0.0.1:${await freePort()}`]);
    const gone = await host.start(own('gone'), []);
    const exporter = await host.exporter();
    await exporter.scrape();
    await gone.kill();
    await exporter.scrape();
    assert.equal((await run(['forget', ...host.flags, own('gone')])).code, 0);
    await exporter.stop();
    assert.doesNotMatch(host.state()!, new RegExp(own('gone')));
  });
});

describe('two programs on one state file', rootOnly, () => {
  it('count a restart once, and neither loses what the other knows', async () => {
    const host = ownHost();
    for (const name of ['one', 'two']) host.configure(own(name), [`127.0.0.1:${await freePort()}`]);
    let one = await host.start(own('one'), []);
    const exporter = await host.exporter();
    await exporter.scrape();
    const once = async () => {
      const { code, stdout } = await run(['metrics', ...host.flags]);
      assert.equal(code, 0);
      return stdout;
    };
    await once();
    await one.kill();
    one = await host.start(own('one'), []);
    const two = await host.start(own('two'), []);
    assert.match(await once(), /filebeat_instance_restarts_total\{name="one-\d+",[^}]*\} 1\n/);
    await two.kill();
    const scrape = await exporter.scrape();
    assert.equal(scrape.value('filebeat_instance_restarts_total', { name: own('one') }), 1);
    assert.match(healthOf(scrape, own('two')), isDown, 'seen by the other one alone');
    const last = await once();
    assert.match(last, /filebeat_instance_restarts_total\{name="one-\d+",[^}]*\} 1\n/);
    assert.match(last, /filebeat_instance_up\{name="two-\d+",[^}]*,pid=""\} 0\n/);
  });
});
