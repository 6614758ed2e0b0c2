/** Filebeats with their own network namespace and root, as in containers. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { createLooker, freePort, want } from '../support/live.js';
import { needs, rootOnly } from '../support/needs.js';
import { startSender } from '../support/sender.js';
import { type StandIn, type StandInOptions, startStandIn } from '../support/stand-in.js';
import type { Scrape } from '../support/text-format.js';
import { writeTree } from '../support/tree.js';
import { createWorld, udpConfig } from '../support/world.js';

const started: StandIn[] = [];
const start = async (options: Partial<StandInOptions>) => {
  const one = await startStandIn({ argv: ['filebeat', '-c', '/etc/filebeat.yml'], ...options });
  started.push(one);
  return one;
};
after(() => Promise.all(started.map((one) => one.stop())));

describe('namespaces', rootOnly, () => {
  it('the same port in two namespaces is two sockets, each namespace with its own counters', async () => {
    const port = await freePort();
    const host = await start({ sockets: [`udp 127.0.0.1:${port}`] });
    const inside = await start({ netns: 'new', sockets: [`udp :${port}`, 'tcp :5066'] });
    const second = await start({ netns: { pid: inside.pid }, sockets: ['udp 127.0.0.1:9001'] });
    const looker = createLooker();
    const mine = [host.pid, inside.pid, second.pid];
    const { scan, look } = await looker.look((all) =>
      all.filebeats
        .filter(({ process }) => mine.includes(process.pid))
        .map(({ process }) => want(process.netns, process.pid === second.pid ? 9001 : port)),
    );
    const netnsOf = (pid: number) => scan.filebeats.find(({ process }) => process.pid === pid)!.process;
    assert.equal(netnsOf(host.pid).hostNetns, true);
    assert.equal(netnsOf(inside.pid).hostNetns, false);
    assert.equal(netnsOf(inside.pid).netns, netnsOf(second.pid).netns);
    const there = look.sockets.filter(({ netns }) => netns === netnsOf(inside.pid).netns);
    assert.deepEqual(
      there.map(({ protocol, address, port: at, owners }) => [protocol, address, at, owners.map(({ pid }) => pid)]),
      [
        ['udp', '127.0.0.1', 9001, [second.pid]],
        ['udp', '::', port, [inside.pid]],
        ['tcp', '::', 5066, [inside.pid]],
      ].sort((a, b) => (a[0] === b[0] ? Number(a[2]) - Number(b[2]) : a[0] === 'udp' ? -1 : 1)),
    );
    const here = look.sockets.filter((socket) => socket.port === port && socket.netns === scan.hostNetns);
    assert.deepEqual(
      here.map(({ owners }) => owners.map(({ pid }) => pid)),
      [[host.pid]],
    );
    assert.equal(look.fullFdScans, 0);

    const before = look.namespaces;
    const sender = createSocket('udp4');
    for (let count = 0; count < 7; count++)
      await new Promise((resolve) => sender.send('x', port, '127.0.0.1', resolve));
    sender.close();
    // The kernel counts a datagram when it is read.
    assert.equal(await host.receive(host.descriptors[0]!, 7), 7);
    const after = (await looker.look()).look.namespaces;
    const rise = (netns: number | undefined) => {
      const of = (list: typeof after) => list.find((one) => one.netns === netns)!.counters!.inDatagrams;
      return of(after) - of(before);
    };
    assert.ok(rise(scan.hostNetns) >= 7);
    assert.equal(rise(netnsOf(inside.pid).netns), 0);
  });

  it('a namespace is gone with its last process', async () => {
    const one = await start({ netns: 'new', sockets: ['udp :9000'] });
    const looker = createLooker();
    const first = await looker.look();
    const netns = first.scan.filebeats.find(({ process }) => process.pid === one.pid)!.process.netns;
    assert.ok(first.look.namespaces.some((space) => space.netns === netns));
    await one.kill();
    const second = await looker.look(() => [want(netns, 9000)]);
    assert.equal(second.look.undecided.length, 1);
    assert.ok(second.look.gaps.some(({ subject }) => subject === `network namespace ${netns}`));
  });

  it('files are read below the root of the process, and links do not lead out of it', async () => {
    const outside = writeTree({ 'host-only.yml': 'of the host' });
    const root = writeTree({
      'etc/filebeat.yml': '-> /conf/real.yml',
      'conf/real.yml': 'of the container',
      'etc/escape.yml': `-> ${outside}/host-only.yml`,
      'etc/up.yml': `-> ../../../../../../../..${outside}/host-only.yml`,
    });
    const one = await start({ netns: 'new', root });
    const { scan } = await createLooker().look();
    const found = scan.filebeats.find(({ process }) => process.pid === one.pid)!;
    assert.notEqual(found.rootId, '/');
    const view = openFileView(found.rootDir);
    const text = (path: string) => {
      const reading = view.read(path, 1000);
      return reading.ok ? Buffer.from(reading.value.bytes).toString() : reading.gap.reason;
    };
    assert.deepEqual(['/etc/filebeat.yml', '/etc/escape.yml', '/etc/up.yml', `${outside}/host-only.yml`].map(text), [
      'of the container',
      'missing',
      'missing',
      'missing',
    ]);
  });
});

/** The whole program with Filebeats in containers: own roots, own networks, the same command line. */
describe('containers', rootOnly, () => {
  const config = '/etc/filebeat/filebeat.yml';
  const argvOf = (data: string) => [
    'filebeat',
    '-c',
    config,
    '--path.home',
    '/usr/share/filebeat',
    '--path.data',
    data,
  ];
  const argv = argvOf('/data');
  const world = createWorld('containers-');
  const groups: string[] = [];
  let exporter: Exporter;
  before(async () => {
    exporter = await startExporter();
  });
  after(async () => {
    await world.end();
    await exporter?.stop();
    for (const group of groups.reverse()) rmdirSync(group);
  });

  const container = (files: Record<string, string>, netns: StandInOptions['netns'] = 'new') =>
    world.process({ argv, cwd: '/', root: writeTree({ 'data/': '', ...files }), netns });
  const nameOf = (scrape: Scrape, { pid }: { pid: number }) =>
    scrape.one('filebeat_instance_up', { pid: `${pid}` }).labels.get('name')!;
  const portsOf = (scrape: Scrape, name: string) =>
    scrape.all('filebeat_port_info', { name }).map(({ labels }) => {
      const of = (label: string) => labels.get(label);
      return `${of('protocol')} ${of('address')}:${of('port')} ${of('status')} ${of('owner_pid')} ${of('declared_in')}`;
    });

  it('with the same port and different files are separate, and so are their drops', async (context) => {
    const first = await container({ [config]: udpConfig(['127.0.0.1:9000', ':9001']) });
    const second = await container({ [config]: udpConfig(['0.0.0.0:9002', '127.0.0.1:9000']) });
    const outside = await world.filebeat('outside', ['127.0.0.1:9000']);
    const lost = new Map<string, number>();
    for (const [one, others, count] of [
      [first, [':9001'], 40],
      [second, ['0.0.0.0:9002'], 60],
    ] as const) {
      const fd = await one.bind('udp 127.0.0.1:9000', { receiveBuffer: 4096 });
      for (const other of others) await one.bind(`udp ${other}`);
      const sender = await startSender(one.pid);
      await sender.send(9000, count);
      await sender.stop();
      lost.set(`${one.pid}`, count - (await one.receive(fd, count)));
    }
    const scrape = await exporter.scrape();
    const [a, b] = [nameOf(scrape, first), nameOf(scrape, second)];
    assert.deepEqual(portsOf(scrape, a), [
      `udp 127.0.0.1:9000 listening ${first.pid} ${config}:3`,
      `udp *:9001 listening ${first.pid} ${config}:5`,
    ]);
    assert.deepEqual(portsOf(scrape, b), [
      `udp 127.0.0.1:9000 listening ${second.pid} ${config}:5`,
      `udp *:9002 listening ${second.pid} ${config}:3`,
    ]);
    for (const name of [a, b]) assert.deepEqual(scrape.all('filebeat_mismatch', { name, severity: 'critical' }), []);
    const drops = (name: string) => scrape.value('filebeat_port_drops_total', { name, port: '9000' });
    assert.deepEqual([drops(a), drops(b)], [lost.get(`${first.pid}`), lost.get(`${second.pid}`)]);
    assert.equal(scrape.value('filebeat_port_drops_total', { config: outside.config }), 0);
    assert.equal(scrape.value('filebeat_port_up', { config: outside.config }), outside.failures.size === 0 ? 1 : 0);
    // Each network namespace has its label and counters.
    const network = (name: string) => scrape.one('filebeat_instance_info', { name }).labels.get('network_namespace')!;
    for (const [name, one] of [
      [a, first],
      [b, second],
    ] as const) {
      assert.equal(`net:[${network(name)}]`, readlinkSync(`/proc/${one.pid}/ns/net`));
      const errors = scrape.value('filebeat_udp_receive_buffer_errors_total', { network_namespace: network(name) });
      assert.equal(errors, lost.get(`${one.pid}`));
    }
    assert.equal(
      scrape.one('filebeat_instance_info', { config: outside.config }).labels.get('network_namespace'),
      'host',
    );
    context.diagnostic(
      `127.0.0.1:9000 in 3 networks: drops ${drops(a)} and ${drops(b)}, as many as RcvbufErrors of each; no conflict, none taken`,
    );

    await first.kill();
    const later = await exporter.scrape();
    assert.deepEqual(
      [a, b].map((name) => later.value('filebeat_port_up', { name, port: '9000' })),
      [0, 1],
    );
  });

  it('never make the exporter follow a link out of them', async (context) => {
    // A new one: the last ports of a known one would be reported as missing.
    const container = (files: Record<string, string>) =>
      world.process({ argv: argvOf('/escapes'), cwd: '/', root: writeTree(files), netns: 'new' });
    const secret = world.write('host-only.yml', udpConfig(['127.0.0.1:9555']));
    const up = '../'.repeat(20);
    const escapes = await Promise.all([
      container({ [config]: `-> ${secret}` }),
      container({ [config]: `-> ${up.slice(0, -1)}${secret}` }),
      container({
        'etc/filebeat': `-> ${world.folder}`,
        [`${world.folder}/filebeat.yml`]: `-> ${up}proc/1/root${secret}`,
      }),
    ]);
    const scrape = await exporter.scrape();
    for (const one of escapes) {
      const name = nameOf(scrape, one);
      assert.deepEqual(portsOf(scrape, name), []);
      assert.deepEqual(
        scrape.all('filebeat_mismatch', { name }).map(({ labels }) => labels.get('code')),
        ['config_invalid'],
      );
    }
    const status = await exporter.status();
    const told = status.mismatches.filter(({ pid }) => escapes.some((one) => one.pid === pid));
    assert.ok(
      told.every(({ cause }) => cause.includes(config)),
      'by its path inside',
    );
    assert.ok(status.ports.every(({ port }) => port !== 9555));
    context.diagnostic(`${escapes.length} links out of a container: none followed`);
  });

  it('resolve links within their root, whatever the host has at that path', async () => {
    const one = await container({
      'etc/filebeat': '-> /conf',
      'conf/filebeat.yml': `-> ${config.replace('filebeat.yml', 'real.yml')}`,
      'conf/real.yml': udpConfig(['127.0.0.1:9003']),
    });
    await one.bind('udp 127.0.0.1:9003');
    const scrape = await exporter.scrape();
    assert.deepEqual(portsOf(scrape, nameOf(scrape, one)), [`udp 127.0.0.1:9003 listening ${one.pid} ${config}:3`]);
  });

  it('are named by their control group', needs('leave to make control groups', makesControlGroups), async () => {
    const id = '4a7d'.repeat(16);
    const one = await container({ [config]: udpConfig(['127.0.0.1:9004']) });
    const group = join(controlGroups(), `docker-${id}.scope`);
    mkdirSync(group);
    groups.push(group);
    writeFileSync(join(group, 'cgroup.procs'), `${one.pid}`);
    await one.bind('udp 127.0.0.1:9004');
    // A process is inspected once, when it is first seen.
    const scrape = await exporter.scrape();
    const info = scrape.one('filebeat_instance_info', { name: nameOf(scrape, one) });
    assert.equal(info.labels.get('container'), id.slice(0, 12));
  });
});

/** cgroup v2, alone or together with v1. */
function controlGroups(): string {
  return existsSync('/sys/fs/cgroup/cgroup.procs') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/unified';
}

/** Not in a container without a writable cgroup. */
function makesControlGroups(): boolean {
  const probe = join(controlGroups(), `probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}
