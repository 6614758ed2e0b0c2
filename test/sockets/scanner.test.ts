/** The socket scanner on directories of fixtures, for situations that a real kernel does not produce on demand. */
import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createBootClock } from '../../src/proc/boot-clock.js';
import { readHostFacts } from '../../src/proc/kernel.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { readNamespace } from '../../src/sockets/namespaces.js';
import { createSocketScanner } from '../../src/sockets/scanner.js';
import { at, want } from '../support/live.js';
import { type Tree, writeTree } from '../support/tree.js';

const HOST = 4026531840;
const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const udpRow = (port: number, inode: number) =>
  `   0: 0100007F:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 07 00000000:00000000 00:00000000 00000000   993        0 ${inode} 2 0 0\n`;

function host(
  pids: Record<number, { comm?: string; start?: number; sockets?: number[] }>,
  rows: [number, number][],
): Tree {
  const tree: Tree = {};
  for (const [pid, { comm = 'filebeat', start = 100, sockets = [] }] of Object.entries(pids)) {
    tree[`${pid}/stat`] = `${pid} (${comm}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`;
    tree[`${pid}/ns/net`] = `-> net:[${HOST}]`;
    tree[`${pid}/net/udp`] = HEADER + rows.map(([port, inode]) => udpRow(port, inode)).join('');
    tree[`${pid}/fd/0`] = '-> /dev/null';
    for (const [index, inode] of sockets.entries()) tree[`${pid}/fd/${index + 5}`] = `-> socket:[${inode}]`;
  }
  return tree;
}
const holder = (pid: number, startTicks = 100) => ({ pid, startTicks, netns: HOST });

describe('a directory of fixtures', () => {
  it('has sockets and owners like a host', async () => {
    const root = writeTree(host({ 42: { sockets: [4242] } }, [[9000, 4242]]));
    const { sockets, gaps, tableReads, undecided } = await createSocketScanner(openProcFs(root)).scan(
      [holder(42)],
      [want(HOST, 9000)],
      HOST,
    );
    assert.deepEqual(sockets, [
      {
        protocol: 'udp',
        family: 4,
        address: '127.0.0.1',
        port: 9000,
        netns: HOST,
        inode: 4242,
        uid: 993,
        receiveQueue: 0,
        drops: 0,
        owners: [{ pid: 42, startTicks: 100, comm: 'filebeat' }],
        ownersKnown: true,
      },
    ]);
    assert.deepEqual([gaps, tableReads, undecided], [[], 1, []]);
  });

  it('a pid that belongs to another process since it was listed holds nothing', async () => {
    const root = writeTree(host({ 42: { start: 777, sockets: [4242] }, 43: {} }, [[9000, 4242]]));
    const look = await createSocketScanner(openProcFs(root)).scan([holder(42), holder(43)], [], HOST);
    assert.deepEqual(at(look, 9000)[0]!.owners, []);
  });

  it('tables that were read through a reused pid do not count', async () => {
    const tree = host({ 42: { start: 777 }, 43: {} }, [[9000, 1]]);
    tree['43/net/udp'] = HEADER + udpRow(9001, 2);
    const look = await createSocketScanner(openProcFs(writeTree(tree))).scan([holder(42), holder(43)], [], HOST);
    assert.deepEqual(
      look.sockets.map(({ port }) => port),
      [9001],
    );
  });

  it('the next scan notices a descriptor that leads elsewhere', async () => {
    const root = writeTree(host({ 42: { sockets: [4242] }, 43: { sockets: [4242] } }, [[9000, 4242]]));
    const scanner = createSocketScanner(openProcFs(root));
    const pids = async () =>
      at(await scanner.scan([holder(42), holder(43)], [want(HOST, 9000)], HOST), 9000)[0]!.owners.map(({ pid }) => pid);
    assert.deepEqual(await pids(), [42, 43]);
    rmSync(join(root, '42/fd/5'));
    symlinkSync('socket:[9]', join(root, '42/fd/5'));
    assert.deepEqual(await pids(), [43]);
  });

  it('a reused pid does not keep the sockets of its former process', async () => {
    const root = writeTree(host({ 42: { sockets: [4242] }, 43: {} }, [[9000, 4242]]));
    const scanner = createSocketScanner(openProcFs(root));
    const look = (start: number) => scanner.scan([holder(42, start), holder(43)], [], HOST);
    assert.equal(at(await look(100), 9000)[0]!.owners.length, 1);
    writeFileSync(join(root, '42/stat'), '42 (other) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 555 0 0\n');
    assert.deepEqual(at(await look(100), 9000)[0]!.owners, []);
  });

  it('the next scan returns the same sockets, and another one where a figure or an owner changed', async () => {
    const root = writeTree(
      host({ 42: { sockets: [1, 2] }, 43: {} }, [
        [9000, 1],
        [9001, 2],
      ]),
    );
    const scanner = createSocketScanner(openProcFs(root));
    const scan = async () =>
      (await scanner.scan([holder(42), holder(43)], [want(HOST, 9000), want(HOST, 9001)], HOST)).sockets;
    const first = await scan();
    assert.equal(await scan(), first);
    writeFileSync(
      join(root, '42/net/udp'),
      HEADER + udpRow(9001, 2).replace('00000000:00000000', '00000000:00000340') + udpRow(9000, 1),
    );
    const second = await scan();
    assert.deepEqual([second[0] === first[0], second[1]!.receiveQueue], [true, 832]);
    // The tables stay as they are.
    rmSync(join(root, '42/fd/5'));
    const third = await scan();
    assert.deepEqual([third[0]!.owners, third[1] === second[1]], [[], true]);
  });

  it('the next scan notices that the number of a descriptor leads to a new socket', async () => {
    const root = writeTree(host({ 42: { sockets: [1] } }, [[9000, 1]]));
    const scanner = createSocketScanner(openProcFs(root));
    const scan = async () => at(await scanner.scan([holder(42)], [want(HOST, 9000)], HOST), 9000);
    assert.equal((await scan())[0]!.owners.length, 1);
    rmSync(join(root, '42/fd/5'));
    symlinkSync('socket:[2]', join(root, '42/fd/5'));
    writeFileSync(join(root, '42/net/udp'), HEADER + udpRow(9000, 2));
    assert.deepEqual(
      (await scan()).map(({ inode, owners }) => [inode, owners.length]),
      [[2, 1]],
    );
  });

  it('a Filebeat without sockets is searched again when its number of descriptors changes, else after a minute', async () => {
    const clock = { ms: 0 };
    const root = writeTree(host({ 42: { sockets: [4242] }, 43: {} }, [[9000, 4242]]));
    const scanner = createSocketScanner(openProcFs(root), () => clock.ms);
    const owners = async (openFds: number) => {
      const holders = [holder(42), { ...holder(43), openFds }];
      return at(await scanner.scan(holders, [want(HOST, 9000)], HOST), 9000)[0]!.owners.map(({ pid }) => pid);
    };
    assert.deepEqual(await owners(1), [42]);
    symlinkSync('socket:[4242]', join(root, '43/fd/5'));
    clock.ms = 15_000;
    assert.deepEqual(await owners(1), [42]);
    assert.deepEqual(await owners(2), [42, 43]);
    rmSync(join(root, '43/fd/5'));
    assert.deepEqual(await owners(1), [42]);
    symlinkSync('socket:[4242]', join(root, '43/fd/5'));
    clock.ms = 76_000;
    assert.deepEqual(await owners(1), [42, 43]);
  });

  it('a Filebeat without sockets is searched again for a new socket', async () => {
    const root = writeTree(host({ 42: { sockets: [4242] }, 43: {} }, [[9000, 4242]]));
    const scanner = createSocketScanner(openProcFs(root));
    const wanted = [want(HOST, 9000), want(HOST, 9001)];
    const scan = () => scanner.scan([holder(42), { ...holder(43), openFds: 1 }], wanted, HOST);
    await scan();
    // One descriptor was closed and another opened: their number stays the same.
    rmSync(join(root, '43/fd/0'));
    symlinkSync('socket:[4343]', join(root, '43/fd/0'));
    for (const pid of [42, 43])
      writeFileSync(join(root, `${pid}/net/udp`), HEADER + udpRow(9000, 4242) + udpRow(9001, 4343));
    const owned = at(await scan(), 9001)[0];
    assert.deepEqual(
      owned?.owners.map(({ pid }) => pid),
      [43],
    );
  });

  it('a socket has no owner if the descriptors of all processes are visible and none leads to it', async () => {
    const root = writeTree(host({ 42: {} }, [[9000, 4242]]));
    const look = await createSocketScanner(openProcFs(root)).scan([holder(42)], [want(HOST, 9000)], HOST);
    const [socket] = at(look, 9000);
    assert.deepEqual([socket!.owners, socket!.ownersKnown, look.fullFdScans], [[], true, 1]);
  });

  it('all processes are scanned once for a socket, again after a minute, and never back to back', async () => {
    const clock = { ms: 0 };
    const root = writeTree(host({ 42: {} }, [[9000, 4242]]));
    const scanner = createSocketScanner(openProcFs(root), () => clock.ms);
    const walks = async () => (await scanner.scan([holder(42)], [want(HOST, 9000)], HOST)).fullFdScans;
    assert.equal(await walks(), 1);
    clock.ms = 30_000;
    assert.equal(await walks(), 1);
    clock.ms = 61_000;
    assert.equal(await walks(), 2);
    // Another suspicious socket, right after a full scan.
    writeFileSync(join(root, '42/net/udp'), HEADER + udpRow(9000, 4343));
    const hurried = await scanner.scan([holder(42)], [want(HOST, 9000)], HOST);
    assert.deepEqual([hurried.fullFdScans, hurried.gaps.map(({ reason }) => reason)], [2, ['limit']]);
    assert.equal(at(hurried, 9000)[0]!.ownersKnown, false);
    clock.ms += 10_000;
    assert.equal(await walks(), 3);
  });

  it('malformed rows are gaps, and the other rows count', async () => {
    const tree = host({ 42: { sockets: [4242] } }, [[9000, 4242]]);
    tree['42/net/udp'] += '   1: junk\n';
    const look = await createSocketScanner(openProcFs(writeTree(tree))).scan([holder(42)], [], HOST);
    assert.equal(look.sockets.length, 1);
    assert.deepEqual(look.gaps, [{ reason: 'malformed', subject: '/proc/42/net/udp', detail: 'line 3' }]);
  });

  it('listeners in a namespace without a visible process are undecided', async () => {
    const root = writeTree(host({ 42: {} }, []));
    const wanted = want(4026532999, 9000);
    const look = await createSocketScanner(openProcFs(root)).scan([holder(42)], [wanted], HOST);
    assert.deepEqual(look.undecided, [wanted]);
    assert.equal(look.gaps[0]!.subject, 'network namespace 4026532999');
  });

  it('a Filebeat whose namespace is unknown is skipped', async () => {
    const root = writeTree(host({ 42: { sockets: [4242] } }, [[9000, 4242]]));
    const look = await createSocketScanner(openProcFs(root)).scan([{ pid: 42, startTicks: 100 }], [], HOST);
    assert.deepEqual([look.sockets, look.namespaces], [[], []]);
  });
});

describe('facts of the host', () => {
  it('are read from the same directory', () => {
    const root = writeTree({
      stat: 'cpu 1\nbtime 1763856000\n',
      'sys/kernel/hostname': 'collector-1\n',
      'sys/net/core/rmem_max': '212992\n',
      'sys/net/core/rmem_default': '4096\n',
      '42/net/udp6': '',
    });
    assert.deepEqual(readHostFacts(openProcFs(root), createBootClock(openProcFs(root)).read(), '42'), {
      hostname: 'collector-1',
      bootTime: 1763856000,
      ipv6: true,
      rmemMax: 212992,
      rmemDefault: 4096,
    });
    assert.deepEqual(readHostFacts(openProcFs(root), createBootClock(openProcFs(root)).read(), '43').ipv6, false);
  });
});

describe('addresses of a namespace', () => {
  const trie = 'Local:\n  +-- 127.0.0.0/8 2 0 2\n     |-- 127.0.0.1\n        /32 host LOCAL\n';
  const addresses = (nonlocal: Record<string, string>) =>
    readNamespace(openProcFs(writeTree({ '42/net/fib_trie': trie, ...nonlocal })), '42', {
      netns: HOST,
      host: true,
      own: true,
      whole: true,
    }).namespace.addresses;

  it('are unknown if sockets may bind addresses that no interface has', () => {
    assert.deepEqual(addresses({}), ['127.0.0.1']);
    assert.deepEqual(addresses({ 'sys/net/ipv4/ip_nonlocal_bind': '0\n' }), ['127.0.0.1']);
    assert.equal(addresses({ 'sys/net/ipv4/ip_nonlocal_bind': '1\n' }), undefined);
  });
});
