/** Listeners of Filebeats whose inputs come from elsewhere, learned from the sockets of real processes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exporter } from '../support/exporter.js';
import { run } from '../support/exporter.js';
import { codesOf, healthOf, type OwnHost, own, ownHosts } from '../support/lifecycle.js';
import { freePort, until } from '../support/live.js';
import { rootOnly } from '../support/needs.js';

const plainHost = ownHosts();
function ownHost(settings: string): OwnHost & { settings: string } {
  const host = plainHost();
  host.write('/exporter.yml', settings);
  return { ...host, settings: `--config.file=${host.root}/exporter.yml` };
}

const agent = (release: string) => `/opt/Elastic/Agent/data/elastic-agent-${release}`;
/** The command line of an Elastic Agent component. */
const agentbeat = (component: string, release = '8.15.0-25075f') => [
  `${agent(release)}/components/agentbeat`,
  'filebeat',
  ...['-E', 'setup.ilm.enabled=false', '-E', 'setup.template.enabled=false', '-E', 'management.enabled=true'],
  ...['-E', `path.data=${agent(release)}/run/${own(component)}`],
];

/** Scans until `count` of its ports are expected. */
const expects = (exporter: Exporter, name: string, count: number) =>
  until(`${name} expects ${count} ports`, async () => {
    const scrape = await exporter.scrape();
    return scrape.all('filebeat_port_info', { name }).length === count ? scrape : undefined;
  });

describe('a Filebeat of an agent', rootOnly, () => {
  it('has its ports learned after a while; a lost port is reported, and all are 0 when it dies', async () => {
    const host = ownHost('discovery: {learn_after: 1s}\n');
    const [a, b] = [await freePort(), await freePort()].sort((x, y) => x - y) as [number, number];
    const filebeat = await host.start('agent', [`udp :${a}`, `tcp 127.0.0.1:${b}`], { argv: agentbeat('udp-default') });
    let exporter = await host.exporter(host.settings);
    const first = await exporter.scrape();
    assert.equal(healthOf(first, own('udp-default')), `up=1 pid=${filebeat.pid}`);
    assert.deepEqual(codesOf(first, own('udp-default')), ['config_dynamic']);

    const learned = await expects(exporter, own('udp-default'), 2);
    const both = ` udp *:${a}=1 tcp 127.0.0.1:${b}=1`;
    assert.equal(healthOf(learned, own('udp-default')), `up=1 pid=${filebeat.pid}${both}`);
    assert.deepEqual(codesOf(learned, own('udp-default')), ['config_dynamic']);
    assert.equal(learned.value('filebeat_instance_healthy', { name: own('udp-default') }), 1);
    for (const { labels } of learned.all('filebeat_port_up', { name: own('udp-default') }))
      assert.equal(labels.get('input'), 'learned');

    await filebeat.close(filebeat.descriptors[0]!);
    const gone = await exporter.scrape();
    assert.equal(healthOf(gone, own('udp-default')), `up=1 pid=${filebeat.pid}${both.replace(`${a}=1`, `${a}=0`)}`);
    assert.deepEqual(codesOf(gone, own('udp-default')), ['config_dynamic', 'learned_port_gone']);
    assert.equal(gone.value('filebeat_instance_healthy', { name: own('udp-default') }), 0);

    await exporter.stop();
    exporter = await host.exporter(host.settings);
    assert.equal(healthOf(await exporter.scrape(), own('udp-default')), healthOf(gone, own('udp-default')));

    await filebeat.kill();
    const dead = `up=0 pid=${both.replaceAll('=1', '=0')}`;
    const down = await exporter.scrape();
    assert.equal(healthOf(down, own('udp-default')), dead);
    assert.deepEqual(codesOf(down, own('udp-default')), ['instance_down']);
    await exporter.stop();
    exporter = await host.exporter(host.settings);
    assert.equal(healthOf(await exporter.scrape(), own('udp-default')), dead);
  });

  it('is one instance for each component', async () => {
    const host = ownHost('discovery: {learn_after: 1s}\n');
    const ports = await Promise.all(Array.from({ length: 3 }, freePort));
    const syslog = await host.start('agent', [`udp :${ports[0]}`], { argv: agentbeat('syslog-default') });
    const cisco = await host.start('agent', [`udp :${ports[1]}`], { argv: agentbeat('cisco-default') });
    const otel = await host.start('agent', [`udp :${ports[2]}`], {
      argv: [`${agent('9.2.0')}/components/elastic-otel-collector`, 'otel', '--supervised'],
    });
    const exporter = await host.exporter(host.settings);
    await expects(exporter, own('syslog-default'), 1);
    // There is one on a host; another run of this test may have one too.
    const [found] = (await exporter.scrape()).all('filebeat_instance_up', { pid: String(otel.pid) });
    const collector = found?.labels.get('name') ?? '';
    assert.match(collector, /^elastic-otel-collector/);
    await expects(exporter, collector, 1);
    const scrape = await expects(exporter, own('cisco-default'), 1);
    assert.equal(healthOf(scrape, own('syslog-default')), `up=1 pid=${syslog.pid} udp *:${ports[0]}=1`);
    assert.equal(healthOf(scrape, own('cisco-default')), `up=1 pid=${cisco.pid} udp *:${ports[1]}=1`);
    assert.equal(healthOf(scrape, collector), `up=1 pid=${otel.pid} udp *:${ports[2]}=1`);
    for (const name of [own('syslog-default'), own('cisco-default'), collector])
      assert.deepEqual(codesOf(scrape, name), ['config_dynamic']);
  });

  it('keeps learned ports over its restart, and over an upgrade of the agent', async () => {
    const host = ownHost('discovery: {learn_after: 1s}\n');
    const port = await freePort();
    const start = (release?: string) =>
      host.start('agent', [`udp :${port}`], { argv: agentbeat('again-default', release) });
    const filebeat = await start();
    const exporter = await host.exporter(host.settings);
    await expects(exporter, own('again-default'), 1);
    await filebeat.kill();
    assert.equal(healthOf(await exporter.scrape(), own('again-default')), `up=0 pid= udp *:${port}=0`);
    const next = await start();
    assert.equal(healthOf(await exporter.scrape(), own('again-default')), `up=1 pid=${next.pid} udp *:${port}=1`);
    await next.kill();
    const newer = await start('8.16.1-9fc4cf');
    const upgraded = await exporter.scrape();
    assert.equal(healthOf(upgraded, own('again-default')), `up=1 pid=${newer.pid} udp *:${port}=1`);
    assert.equal(upgraded.value('filebeat_instance_restarts_total', { name: own('again-default') }), 2);
  });

  it('never has a short-lived socket learned, however often its port is reused', async () => {
    const host = ownHost('discovery: {learn_after: 3s}\n');
    const [lasting, passing, peer] = await Promise.all(Array.from({ length: 3 }, freePort));
    const filebeat = await host.start('agent', [`udp :${lasting}`], { argv: agentbeat('busy-default') });
    await filebeat.connect(`udp 127.0.0.1:${peer}`);
    const exporter = await host.exporter(host.settings);
    /** Each of these sockets lives long enough to be seen, but not to be learned. */
    const pass = async () => {
      const open = await filebeat.bind(`udp :${passing}`);
      const end = Date.now() + 1200;
      let scrape = await exporter.scrape();
      while (Date.now() < end) scrape = await exporter.scrape();
      await filebeat.close(open);
      assert.deepEqual(scrape.all('filebeat_mismatch', { name: own('busy-default'), code: 'socket_unexpected' }), []);
      return healthOf(scrape, own('busy-default'));
    };
    const learned = `up=1 pid=${filebeat.pid} udp *:${lasting}=1`;
    await until('the lasting one is learned', async () => (await pass()) === learned);
    for (let passes = 0; passes < 3; passes++) assert.equal(await pass(), learned);
  });

  it('has ports forgotten by the command and by DELETE, and learned again while it holds them', async () => {
    const host = ownHost('discovery: {learn_after: 1s}\n');
    const [a, b] = [await freePort(), await freePort()].sort((x, y) => x - y) as [number, number];
    const filebeat = await host.start('agent', [`udp :${a}`, `udp :${b}`], { argv: agentbeat('policy-default') });
    const exporter = await host.exporter(host.settings, '--web.enable-lifecycle');
    await expects(exporter, own('policy-default'), 2);
    for (const descriptor of filebeat.descriptors) await filebeat.close(descriptor);
    const gone = await exporter.scrape();
    assert.equal(healthOf(gone, own('policy-default')), `up=1 pid=${filebeat.pid} udp *:${a}=0 udp *:${b}=0`);

    const forget = (...words: string[]) =>
      run(['forget', ...host.flags, host.settings, own('policy-default'), ...words]);
    assert.equal((await forget('--port=udp/1')).code, 2);
    assert.equal((await forget(`--port=tcp/${a}`)).code, 2);
    assert.equal((await forget(`--port=udp/${a}`)).code, 0);
    const one = await exporter.scrape();
    assert.equal(healthOf(one, own('policy-default')), `up=1 pid=${filebeat.pid} udp *:${b}=0`);
    const { status } = await exporter.get(`/api/v1/instances/${own('policy-default')}`, { method: 'DELETE' });
    assert.equal(status, 200);
    const none = await exporter.scrape();
    assert.equal(healthOf(none, own('policy-default')), `up=1 pid=${filebeat.pid}`);
    assert.deepEqual(codesOf(none, own('policy-default')), ['config_dynamic']);

    await filebeat.bind(`udp :${b}`);
    assert.equal(
      healthOf(await expects(exporter, own('policy-default'), 1), own('policy-default')),
      `up=1 pid=${filebeat.pid} udp *:${b}=1`,
    );
  });

  it('has nothing learned if learn_after is 0', async () => {
    const host = ownHost('discovery: {learn_after: 0}\n');
    const filebeat = await host.start('agent', [`udp :${await freePort()}`], { argv: agentbeat('never-default') });
    const exporter = await host.exporter(host.settings);
    await exporter.scrape();
    assert.equal(healthOf(await exporter.scrape(), own('never-default')), `up=1 pid=${filebeat.pid}`);
    assert.deepEqual(codesOf(await exporter.scrape(), own('never-default')), ['config_dynamic']);
  });
});

describe('a Filebeat with autodiscover', rootOnly, () => {
  it('has its own inputs predicted and the others learned', async () => {
    const host = ownHost('discovery: {learn_after: 1s}\n');
    const [mine, found] = [await freePort(), await freePort()].sort((x, y) => x - y) as [number, number];
    host.write(
      `/etc/filebeat/${own('auto')}.yml`,
      `filebeat.inputs: [{type: udp, host: "127.0.0.1:${mine}"}]
filebeat.autodiscover.providers: [{type: docker, hints.enabled: true, host: "tcp://docker:2375"}]
output.console.enabled: true
`,
      60,
    );
    const filebeat = await host.start(own('auto'), [`udp 127.0.0.1:${mine}`, `udp 127.0.0.1:${found}`]);
    const exporter = await host.exporter(host.settings);
    const first = await exporter.scrape();
    assert.equal(healthOf(first, own('auto')), `up=1 pid=${filebeat.pid} udp 127.0.0.1:${mine}=1`);
    const scrape = await expects(exporter, own('auto'), 2);
    const inputs = scrape.all('filebeat_port_up', { name: own('auto') }).map(({ labels }) => labels.get('input'));
    assert.deepEqual(inputs, ['udp', 'learned']);
    assert.deepEqual(codesOf(scrape, own('auto')), ['config_dynamic']);
    await filebeat.kill();
    const down = `up=0 pid= udp 127.0.0.1:${mine}=0 udp 127.0.0.1:${found}=0`;
    assert.equal(healthOf(await exporter.scrape(), own('auto')), down);
  });
});
