/** The socket scanner on real stand-ins and real sockets. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readlinkSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { at, createLooker, freePort, until, want } from '../support/live.js';
import { type StandIn, type StandInOptions, startStandIn } from '../support/stand-in.js';

const started: StandIn[] = [];
const start = async (options: Partial<StandInOptions>) => {
  const one = await startStandIn({ argv: ['filebeat', '-c', 'x.yml'], ...options });
  started.push(one);
  return one;
};
after(() => Promise.all(started.map((one) => one.stop())));

describe('sockets as the kernel lists them', () => {
  const cases: [bind: (port: number) => string, family: 4 | 6, address: string][] = [
    [(port) => `udp 0.0.0.0:${port}`, 6, '::'],
    [(port) => `udp :${port}`, 6, '::'],
    [(port) => `udp4 0.0.0.0:${port}`, 4, '0.0.0.0'],
    [(port) => `udp 127.0.0.1:${port}`, 4, '127.0.0.1'],
    [(port) => `udp 127.0.0.5:${port}`, 4, '127.0.0.5'],
    [(port) => `udp [::1]:${port}`, 6, '::1'],
    [(port) => `udp6 [::]:${port}`, 6, '::'],
    [(port) => `tcp 0.0.0.0:${port}`, 6, '::'],
    [(port) => `tcp 127.0.0.1:${port}`, 4, '127.0.0.1'],
  ];
  for (const [bind, family, address] of cases)
    it(`${bind(0)} is one row: IPv${family} ${address}`, async () => {
      const port = await freePort();
      const protocol = bind(0).startsWith('udp') ? 'udp' : 'tcp';
      const one = await start({ sockets: [bind(port)] });
      const { look, scan } = await createLooker().look((all) => [want(all.hostNetns, port, protocol)]);
      const rows = at(look, port, protocol);
      assert.deepEqual(
        rows.map((row) => [row.family, row.address, row.owners.map(({ pid }) => pid), row.ownersKnown]),
        [[family, address, [one.pid], true]],
      );
      assert.equal(`socket:[${rows[0]!.inode}]`, readlinkSync(`/proc/${one.pid}/fd/${one.descriptors[0]}`));
      assert.equal(rows[0]!.netns, scan.hostNetns);
      assert.equal(look.fullFdScans, 0);
    });

  it('connected UDP sockets are not listeners', async () => {
    const port = await freePort();
    const one = await start({ sockets: [`udp 127.0.0.1:${port}`] });
    const local = await one.portOf(await one.connect(`udp 127.0.0.1:${port}`));
    const { look } = await createLooker().look();
    assert.deepEqual([at(look, port).length, at(look, local)], [1, []]);
  });

  it('the queue is in bytes, the drops are in datagrams', async () => {
    const port = await freePort();
    const one = await start({});
    const fd = await one.bind(`udp 127.0.0.1:${port}`, { receiveBuffer: 4096 });
    const sender = createSocket('udp4');
    const sent = 50;
    for (let count = 0; count < sent; count++)
      await new Promise((resolve) => sender.send('x'.repeat(100), port, '127.0.0.1', resolve));
    sender.close();
    const looker = createLooker();
    const [row] = at((await looker.look()).look, port);
    assert.ok(row!.receiveQueue > 0 && row!.drops > 0, JSON.stringify(row));
    const kept = await one.receive(fd, sent);
    const [empty] = at((await looker.look()).look, port);
    assert.deepEqual([empty!.receiveQueue, empty!.drops + kept], [0, sent]);
  });
});

describe('a long table', () => {
  it('is read completely, wherever a read() ends', async () => {
    const many = 1700;
    const one = await start({ sockets: Array.from({ length: many }, () => 'udp 127.0.0.1:0') });
    // Other sockets open and close meanwhile, so a single reading may be torn.
    await until('all sockets in one look', async () => {
      const { look } = await createLooker().look();
      return look.sockets.filter(({ owners }) => owners[0]?.pid === one.pid).length === many;
    });
    await one.stop();
  });
});

describe('owners', () => {
  it('a forked child shares its socket, and both are owners after a full descriptor scan', async () => {
    const port = await freePort();
    const one = await start({ sockets: [`udp :${port}`] });
    const child = await one.fork({ file: '/bin/sleep', argv: ['sleep', '600'] });
    const looker = createLooker();
    const { look } = await looker.look((all) => [want(all.hostNetns, port)]);
    assert.deepEqual(
      at(look, port)[0]!.owners.map(({ pid }) => pid),
      [one.pid],
    );
    await one.kill();
    const later = await looker.look((all) => [want(all.hostNetns, port)]);
    assert.deepEqual(
      at(later.look, port)[0]!.owners.map(({ pid, comm }) => [pid, comm]),
      [[child, 'sleep']],
    );
    process.kill(child, 'SIGKILL');
    await until('the child is gone', async () => {
      const last = await looker.look((all) => [want(all.hostNetns, port)]);
      return at(last.look, port).length === 0;
    });
  });

  it('the owner of a taken port is found by one full descriptor scan', async () => {
    const port = await freePort();
    const thief = await start({ argv: ['/usr/bin/thief'], sockets: [`udp :${port}`] });
    const one = await start({ sockets: [`udp :${port}`], mayFail: true });
    assert.deepEqual([...one.failures.values()], ['EADDRINUSE']);
    const looker = createLooker();
    for (let pass = 0; pass < 3; pass++) {
      const { look } = await looker.look((all) => [want(all.hostNetns, port)]);
      assert.deepEqual(
        at(look, port)[0]!.owners.map(({ pid, comm }) => [pid, comm]),
        [[thief.pid, 'thief']],
      );
      assert.equal(look.fullFdScans, 1);
    }
  });

  it('the second owner of a shared port is reported', async () => {
    const port = await freePort();
    const one = await start({});
    const duplicate = await start({ argv: ['/usr/bin/duplicate'] });
    await one.bind(`udp :${port}`, { reusePort: true });
    await duplicate.bind(`udp :${port}`, { reusePort: true });
    const { look } = await createLooker().look((all) => [want(all.hostNetns, port)]);
    const pids = at(look, port).map(({ owners }) => owners.map(({ pid }) => pid));
    assert.deepEqual(pids.flat().sort(), [one.pid, duplicate.pid].sort());
  });

  it('a port that was closed and bound again has its new socket in the next scan', async () => {
    const port = await freePort();
    const one = await start({ sockets: [`udp :${port}`] });
    const looker = createLooker();
    const first = at((await looker.look((all) => [want(all.hostNetns, port)])).look, port)[0]!;
    await one.close(one.descriptors[0]!);
    assert.deepEqual(at((await looker.look((all) => [want(all.hostNetns, port)])).look, port), []);
    await one.bind(`udp :${port}`);
    const second = at((await looker.look((all) => [want(all.hostNetns, port)])).look, port)[0]!;
    assert.notEqual(second.inode, first.inode);
    assert.deepEqual(
      second.owners.map(({ pid }) => pid),
      [one.pid],
    );
  });

  it('a TCP listener of an earlier scan is gone as soon as it is closed', async () => {
    const port = await freePort();
    const one = await start({ sockets: [`tcp :${port}`] });
    const looker = createLooker();
    const look = async () => (await looker.look((all) => [want(all.hostNetns, port, 'tcp')])).look;
    assert.equal(at(await look(), port, 'tcp').length, 1);
    assert.equal(at(await look(), port, 'tcp')[0]!.owners[0]!.pid, one.pid);
    await one.close(one.descriptors[0]!);
    assert.deepEqual(at(await look(), port, 'tcp'), []);
  });

  it('a SIGKILL is seen by the next scan', async () => {
    const port = await freePort();
    const one = await start({ sockets: [`udp :${port}`, `tcp :${port}`] });
    const looker = createLooker();
    const wanted = (netns: number | undefined) => [want(netns, port), want(netns, port, 'tcp')];
    assert.equal(at((await looker.look((all) => wanted(all.hostNetns))).look, port).length, 1);
    await one.kill();
    const { look } = await looker.look((all) => wanted(all.hostNetns));
    assert.deepEqual([at(look, port), at(look, port, 'tcp')], [[], []]);
  });

  it('a full descriptor scan finds the owner of a port that no Filebeat holds', async () => {
    const port = await freePort();
    const other = await start({ argv: ['/usr/bin/other'], sockets: [`udp 127.0.0.1:${port}`] });
    const { processes, sockets } = createLooker();
    const { hostNetns } = processes.scan();
    const look = await sockets.scan([], [want(hostNetns, port)], hostNetns);
    assert.deepEqual(
      at(look, port)[0]!.owners.map(({ pid }) => pid),
      [other.pid],
    );
  });

  it('the owner of an unexpected socket is found within seconds, and not searched in every scan', async () => {
    const clock = { ms: 0 };
    const looker = createLooker('/proc', () => clock.ms);
    const one = await start({});
    await looker.look();
    const port = await freePort();
    await one.bind(`udp :${port}`);
    await looker.look();
    clock.ms = 6_000;
    const { look } = await looker.look();
    assert.deepEqual(
      at(look, port)[0]!.owners.map(({ pid }) => pid),
      [one.pid],
    );
  });
});

describe('a namespace', () => {
  it('is read once if nothing is missing, and again only if a socket is missing in a long table', async () => {
    const port = await freePort();
    await start({ sockets: [`udp :${port}`] });
    const looker = createLooker();
    // Other tests make tables tear: then a scan needs more than one reading.
    const calm = await until('a look with one reading', async () => {
      const one = await looker.look((all) => [want(all.hostNetns, port)]);
      return one.look.tableReads === one.look.namespaces.length && one;
    });
    const host = (look: typeof calm.look) => look.namespaces.find((namespace) => namespace.host)!;
    assert.ok(host(calm.look).counters!.inDatagrams >= 0);
    assert.equal(host(calm.look).addresses, undefined);
    const gone = await looker.look((all) => [want(all.hostNetns, 1)]);
    assert.ok(host(gone.look).addresses!.includes('127.0.0.1'));
    assert.equal(typeof host(gone.look).unprivilegedPortStart, 'number');
  });
});
