/** Files that are edited, broken, replaced or deleted while a Filebeat runs, or while it is down. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { codesOf, createHost, healthOf, type OwnHost, own } from '../support/lifecycle.js';
import { freePort } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { udpConfig } from '../support/world.js';

const hosts: OwnHost[] = [];
/** A Filebeat with one port, whose file is a minute older than its process, and an exporter that has seen both. */
async function watched(name: string, text = (port: number) => udpConfig([`127.0.0.1:${port}`])) {
  const host = createHost();
  hosts.push(host);
  const [port, other] = [await freePort(), await freePort()];
  const file = `/etc/filebeat/${name}.yml`;
  host.write(file, text(port), 60);
  const filebeat = await host.start(name, [`udp 127.0.0.1:${port}`]);
  const exporter = await host.exporter();
  const up = `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`;
  assert.equal(healthOf(await exporter.scrape(), name), up);
  return { host, port, other, file, filebeat, exporter, up, down: `up=0 pid= udp 127.0.0.1:${port}=0` };
}
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.end())));

describe('a configuration that is deleted', rootOnly, () => {
  it('while Filebeat runs, changes nothing: only its next start would fail', async () => {
    const { host, port, file, filebeat, exporter, up, down } = await watched(own('deleted'));
    host.remove(file);
    const deleted = await exporter.scrape();
    assert.equal(healthOf(deleted, own('deleted')), up);
    assert.deepEqual(codesOf(deleted, own('deleted')), ['config_invalid']);
    assert.equal(deleted.value('filebeat_instance_config_valid', { name: own('deleted') }), 0);
    await exporter.stop();

    const anew = await host.exporter();
    assert.equal(healthOf(await anew.scrape(), own('deleted')), up);
    await filebeat.kill();
    const ended = await anew.scrape();
    assert.equal(healthOf(ended, own('deleted')), down);
    assert.ok(codesOf(ended, own('deleted')).includes('instance_down'));

    host.write(file, udpConfig([`127.0.0.1:${port}`]));
    const back = await host.start(own('deleted'), [`udp 127.0.0.1:${port}`]);
    const mended = await anew.scrape();
    assert.equal(healthOf(mended, own('deleted')), up.replace(`${filebeat.pid}`, `${back.pid}`));
    assert.deepEqual(codesOf(mended, own('deleted')), []);
    assert.equal(mended.value('filebeat_instance_restarts_total', { name: own('deleted') }), 1);
  });

  it('while Filebeat is down, changes nothing either', async () => {
    const { host, file, filebeat, exporter, down } = await watched(own('lost'));
    host.enable(`filebeat@${own('lost')}.service`);
    await exporter.scrape();
    await filebeat.kill();
    host.remove(file);
    const scrape = await exporter.scrape();
    assert.equal(healthOf(scrape, own('lost')), down);
    assert.deepEqual(codesOf(scrape, own('lost')), ['config_invalid', 'instance_down']);
  });

  it('is reported by an exporter that never saw it, without a verdict on the sockets', async () => {
    const { host, port, file, filebeat, exporter, up } = await watched(own('unseen'));
    await exporter.stop();
    rmSync(host.stateFile);
    host.remove(file);
    const anew = await host.exporter();
    await anew.scrape();
    const scrape = await anew.scrape();
    assert.equal(healthOf(scrape, own('unseen')), `up=1 pid=${filebeat.pid}`);
    assert.deepEqual(codesOf(scrape, own('unseen')), ['config_invalid']);
    // Restored, it counts as no edit: sockets and files agree.
    host.configure(own('unseen'), [`127.0.0.1:${port}`]);
    const back = await anew.scrape();
    assert.equal(healthOf(back, own('unseen')), up);
    assert.deepEqual(codesOf(back, own('unseen')), []);
  });
});

describe('a configuration that broke before the exporter started', rootOnly, () => {
  it('is reported as invalid, without advice to restart', async () => {
    const { host, file, filebeat, exporter } = await watched(own('before'));
    await exporter.stop();
    rmSync(host.stateFile);
    host.write(file, 'filebeat.inputs: [{type: udp\n');
    const anew = await host.exporter();
    await anew.scrape();
    const scrape = await anew.scrape();
    assert.equal(healthOf(scrape, own('before')), `up=1 pid=${filebeat.pid}`);
    assert.deepEqual(codesOf(scrape, own('before')), ['config_invalid']);
  });
});

describe('a configuration that is edited under a running Filebeat', rootOnly, () => {
  it('is a pending restart only if listeners differ; listeners from the start stay expected', async () => {
    const { host, port, other, file, filebeat, exporter, up } = await watched(own('edited'));
    const pending = { name: own('edited') };
    host.write(file, `# a word\n${udpConfig([`127.0.0.1:${port}`])}`);
    const commented = await exporter.scrape();
    assert.equal(healthOf(commented, own('edited')), up);
    assert.deepEqual(codesOf(commented, own('edited')), []);
    assert.equal(commented.value('filebeat_instance_config_pending_restart', pending), 0);

    host.write(file, udpConfig([`127.0.0.1:${other}`]));
    const moved = await exporter.scrape();
    assert.equal(healthOf(moved, own('edited')), up);
    assert.deepEqual(codesOf(moved, own('edited')), ['restart_pending']);
    assert.equal(moved.value('filebeat_instance_config_pending_restart', pending), 1);

    // A restart of the exporter does not lose the state at the start.
    await exporter.stop();
    const anew = await host.exporter();
    const same = await anew.scrape();
    assert.equal(healthOf(same, own('edited')), up);
    assert.deepEqual(codesOf(same, own('edited')), ['restart_pending']);

    await filebeat.kill();
    assert.equal(healthOf(await anew.scrape(), own('edited')), `up=0 pid= udp 127.0.0.1:${port}=0`);
    const next = await host.start(own('edited'), [`udp 127.0.0.1:${other}`]);
    const restarted = await anew.scrape();
    assert.equal(healthOf(restarted, own('edited')), `up=1 pid=${next.pid} udp 127.0.0.1:${other}=1`);
    assert.deepEqual(codesOf(restarted, own('edited')), []);
  });

  it('counts as edited even with an older timestamp, as rsync -t and packages set it', async () => {
    const { host, other, file, exporter, up } = await watched(own('synced'));
    host.write(file, udpConfig([`127.0.0.1:${other}`]), 86_400);
    const scrape = await exporter.scrape();
    assert.equal(healthOf(scrape, own('synced')), up);
    assert.deepEqual(codesOf(scrape, own('synced')), ['restart_pending']);
  });
});

describe('a configuration that breaks while Filebeat runs', rootOnly, () => {
  it('does not change name, ports and history, although path.data is in that file', async () => {
    const data = (port: number) => `path.data: /srv/broken\n${udpConfig([`127.0.0.1:${port}`])}`;
    const host = createHost();
    hosts.push(host);
    const [port, other] = [await freePort(), await freePort()];
    const file = `/etc/filebeat/${own('broken')}.yml`;
    const argv = ['/usr/share/filebeat/bin/filebeat', '-c', file, '--path.home', '/usr/share/filebeat'];
    host.write(file, data(port), 60);
    host.write('/srv/broken/meta.json', '{}');
    const sockets = [`udp 127.0.0.1:${port}`];
    const filebeat = await host.start(own('broken'), sockets, { argv });
    const exporter = await host.exporter();
    const up = `up=1 pid=${filebeat.pid} udp 127.0.0.1:${port}=1`;
    assert.equal(healthOf(await exporter.scrape(), own('broken')), up);

    host.write(file, 'filebeat.inputs: [{type: udp\n');
    const broken = await exporter.scrape();
    assert.equal(healthOf(broken, own('broken')), up);
    assert.deepEqual(codesOf(broken, own('broken')), ['config_invalid']);
    assert.equal(broken.all('filebeat_instance_up', { config: file }).length, 1);

    // Fixed with another path.data, which applies to the next start.
    host.write(file, `path.data: /srv/elsewhere\n${udpConfig([`127.0.0.1:${other}`])}`);
    const mended = await exporter.scrape();
    assert.equal(healthOf(mended, own('broken')), up);
    assert.deepEqual(codesOf(mended, own('broken')), ['restart_pending']);

    host.write(file, data(port));
    assert.deepEqual(codesOf(await exporter.scrape(), own('broken')), []);

    // It dies while the file is broken again, and returns once the file is fixed.
    host.write(file, 'filebeat.inputs: [{type: udp\n');
    await exporter.scrape();
    await filebeat.kill();
    assert.equal(healthOf(await exporter.scrape(), own('broken')), `up=0 pid= udp 127.0.0.1:${port}=0`);
    host.write(file, data(port));
    const again = await host.start(own('broken'), sockets, { argv });
    const scrape = await exporter.scrape();
    assert.equal(healthOf(scrape, own('broken')), up.replace(`${filebeat.pid}`, `${again.pid}`));
    assert.equal(scrape.value('filebeat_instance_restarts_total', { name: own('broken') }), 1);
    assert.equal(scrape.all('filebeat_instance_up', { config: file }).length, 1);
  });
});
