/** Filebeats in network namespaces and roots of their own, as in containers. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, describe, it } from 'node:test';
import { openFileView } from '../src/proc/files.js';
import { createLooker, freePort, rootOnly, want } from './support/live.js';
import { type StandIn, type StandInOptions, startStandIn } from './support/stand-in.js';
import { writeTree } from './support/tree.js';

const started: StandIn[] = [];
const start = async (options: Partial<StandInOptions>) => {
  const one = await startStandIn({ argv: ['filebeat', '-c', '/etc/filebeat.yml'], ...options });
  started.push(one);
  return one;
};
after(() => Promise.all(started.map((one) => one.stop())));

describe('namespaces', rootOnly, () => {
  it('the same port in two of them are two sockets, and each has its own counters', async () => {
    const port = await freePort();
    const host = await start({ sockets: [`udp 127.0.0.1:${port}`] });
    const inside = await start({ netns: 'new', sockets: [`udp :${port}`, 'tcp :5066'] });
    const second = await start({ netns: { pid: inside.pid }, sockets: ['udp 127.0.0.1:9001'] });
    const looker = createLooker();
    const { scan, look } = await looker.look((all) =>
      all.filebeats.map(({ process }) => want(process.netns, process.pid === second.pid ? 9001 : port)),
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
    assert.deepEqual([look.tableReads, look.fullFdScans], [look.namespaces.length, 0]);

    const before = look.namespaces;
    const sender = createSocket('udp4');
    for (let count = 0; count < 7; count++)
      await new Promise((resolve) => sender.send('x', port, '127.0.0.1', resolve));
    sender.close();
    // The kernel counts a datagram in when it is taken.
    assert.equal(await host.receive(host.descriptors[0]!, 7), 7);
    const after = (await looker.look()).look.namespaces;
    const rise = (netns: number | undefined) => {
      const of = (list: typeof after) => list.find((one) => one.netns === netns)!.counters!.inDatagrams;
      return of(after) - of(before);
    };
    assert.ok(rise(scan.hostNetns) >= 7);
    assert.equal(rise(netnsOf(inside.pid).netns), 0);
  });

  it('a namespace ends with its last process', async () => {
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

  it('files are read below the root of the process, and links never leave it', async () => {
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
    assert.equal(found.process.ownRoot, true);
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
