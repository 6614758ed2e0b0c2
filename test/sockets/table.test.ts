/** Parsers of `/proc/<pid>/net/{udp,udp6,tcp,tcp6,snmp,snmp6,fib_trie,if_inet6}`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Family, Protocol } from '../../src/model/model.js';
import { parseFibTrie, parseIfInet6, parseUdpCounters } from '../../src/sockets/namespaces.js';
import { parseSocketTable as parse } from '../../src/sockets/parsed-table.js';
import { decodeAddress } from '../../src/sockets/table.js';
import { createChance } from '../support/random.js';

const UDP =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            \n';
const row = (local: string, remote: string, state: string, rest = '0 0 1187448 2 0000000033901b43 7') =>
  ` 4995: ${local} ${remote} ${state} 00000000:00000340 00:00000000 00000000   993        ${rest.slice(2)}       \n`;

function parseSocketTable(text: string, protocol: Protocol, family: Family) {
  const { rows, badLines } = parse(Buffer.from(text), protocol, family);
  return { rows, badLines };
}

describe('a UDP table', () => {
  it('gives address, port, queue, owner, inode and drops', () => {
    assert.deepEqual(parseSocketTable(UDP + row('0100007F:238E', '00000000:0000', '07'), 'udp', 4), {
      rows: [
        {
          protocol: 'udp',
          family: 4,
          address: '127.0.0.1',
          port: 9102,
          inode: 1187448,
          uid: 993,
          receiveQueue: 832,
          drops: 7,
        },
      ],
      badLines: [],
    });
  });

  it('gives listeners and no connected sockets', () => {
    const text = UDP + row('0100007F:238E', '0100007F:0035', '01') + row('0100007F:238F', '00000000:0000', '07');
    assert.deepEqual(
      parseSocketTable(text, 'udp', 4).rows.map(({ port }) => port),
      [9103],
    );
  });

  it('gives the good rows and the line numbers of malformed ones', () => {
    const good = row('0100007F:238E', '00000000:0000', '07');
    const bad = [
      row('0100007:238E', '00000000:0000', '07'),
      row('0100007F:38E', '00000000:0000', '07'),
      row('0100007G:238E', '00000000:0000', '07'),
      row('0100007F:238E', '00000000:0000', '07', '0 0 none 2 00 7'),
      row('0100007F:238E', '00000000:0000', '07', '0 0 5 2 00 -7'),
      'garbage\n',
      '  12: 0100007F:238E 0000\n',
    ];
    const table = parseSocketTable(UDP + bad.join('') + good, 'udp', 4);
    assert.deepEqual([table.rows.length, table.badLines], [1, [2, 3, 4, 5, 6, 7, 8]]);
  });

  it('gives a repeated row once', () => {
    const line = row('0100007F:238E', '00000000:0000', '07');
    assert.equal(parseSocketTable(UDP + line + line, 'udp', 4).rows.length, 1);
  });

  it('may have no rows, be truncated, or be empty', () => {
    assert.deepEqual(parseSocketTable('', 'udp', 4), { rows: [], badLines: [] });
    assert.deepEqual(parseSocketTable(UDP, 'udp', 4), { rows: [], badLines: [] });
    const whole = UDP + row('0100007F:238E', '00000000:0000', '07');
    assert.deepEqual(parseSocketTable(whole.slice(0, 180), 'udp', 4), { rows: [], badLines: [2] });
    assert.equal(parseSocketTable(whole.trimEnd(), 'udp', 4).rows.length, 1);
  });

  it('counts drops beyond 31 bits', () => {
    const text = UDP + row('0100007F:238E', '00000000:0000', '07', '0 0 5 2 00 4294967295');
    assert.equal(parseSocketTable(text, 'udp', 4).rows[0]!.drops, 4294967295);
  });
});

describe('a table that is read again', () => {
  interface Entry {
    inode: number;
    port: number;
    queue: number;
    drops: number;
    reference: number;
  }
  const line = ({ inode, port, queue, drops, reference }: Entry) =>
    ` 4995: 0100007F:${hex(port, 4)} 00000000:0000 07 00000000:${hex(queue, 8)} 00:00000000 00000000   993        0 ${inode} ${reference} 0000000033901b43 ${drops}\n`;
  const hex = (number: number, digits: number) => number.toString(16).toUpperCase().padStart(digits, '0');
  const bytesOf = (entries: readonly Entry[]) => Buffer.from(UDP + entries.map(line).join(''));
  const entry = (inode: number): Entry => ({ inode, port: inode, queue: 0, drops: 0, reference: 2 });
  const three = [entry(1), entry(2), entry(3)];

  it('is the same object if its bytes are the same', () => {
    const before = parse(bytesOf(three), 'udp', 4);
    assert.equal(parse(bytesOf(three), 'udp', 4, { before }), before);
    assert.notEqual(parse(bytesOf(three.slice(1)), 'udp', 4, { before }), before);
  });

  it('has another row where a queue or a count of drops changed, and the others as before', () => {
    const before = parse(bytesOf(three), 'udp', 4);
    for (const change of [{ queue: 832 }, { drops: 1 }]) {
      const after = parse(bytesOf(three.map((one, at) => (at === 1 ? { ...one, ...change } : one))), 'udp', 4, {
        before,
      });
      assert.deepEqual(
        after.rows.map((row, at) => row === before.rows[at]),
        [true, false, true],
      );
      assert.deepEqual([after.rows[1]!.receiveQueue, after.rows[1]!.drops], [change.queue ?? 0, change.drops ?? 0]);
    }
  });

  it('has the same rows if only something changed that no row tells, or the order did', () => {
    const before = parse(bytesOf(three), 'udp', 4);
    const after = parse(bytesOf(three.map((one) => ({ ...one, reference: 3 })).reverse()), 'udp', 4, { before });
    assert.deepEqual(
      after.rows.map((row) => before.rows.indexOf(row)),
      [2, 1, 0],
    );
  });

  it('is not extended from a line that was cut', () => {
    const whole = bytesOf([entry(7)]);
    const cut = parse(whole.subarray(0, whole.length - 1), 'udp', 4);
    const longer = Buffer.from(`${whole.toString().trimEnd()}5\n`);
    assert.equal(parse(longer, 'udp', 4, { before: cut }).rows[0]!.drops, 5);
  });

  it('says what a reading without an earlier one says, whatever happened in between', () => {
    const { below, pick, oneIn } = createChance(20_251_123);
    let entries: Entry[] = [];
    let before = parse(bytesOf([]), 'udp', 4);
    let inode = 100;
    for (let turn = 0; turn < 2000; turn++) {
      const at = below(entries.length + 1);
      const change = (by: Partial<Entry>) => entries.map((one, index) => (index === at ? { ...one, ...by } : one));
      entries = pick([
        () => [...entries.slice(0, at), entry(++inode), ...entries.slice(at)],
        () => entries.filter((_one, index) => index !== at),
        () => change({ queue: below(9000) }),
        () => change({ drops: below(3) }),
        () => change({ reference: below(20) }),
        () => change({ inode: ++inode }),
        () => change({ inode: entries[0]?.inode ?? 0 }),
        () => entries.slice(0, 12).reverse(),
        () => entries,
      ])();
      const bytes = bytesOf(entries);
      // Now and then a line is broken, or the table ends within a line.
      if (oneIn(10)) bytes[below(bytes.length)] = 10;
      const shown = oneIn(10) ? bytes.subarray(0, below(bytes.length)) : bytes;
      const after = parse(shown, 'udp', 4, { before });
      assert.deepEqual(after, parse(shown, 'udp', 4));
      before = after;
    }
  });
});

describe('a TCP table', () => {
  it('gives sockets in LISTEN only, and a TIME_WAIT row without inode is not malformed', () => {
    const text =
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n' +
      '   0: 00000000:07E8 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 1679 1 00000000f429aa7e 100 0 0 10 0 \n' +
      '   1: 0100007F:816F 0100007F:CB1C 06 00000000:00000000 03:00000E69 00000000     0        0 0 3 00000000aff35550\n';
    const table = parseSocketTable(text, 'tcp', 4);
    assert.deepEqual(
      table.rows.map(({ address, port, drops, receiveQueue }) => [address, port, drops, receiveQueue]),
      [['0.0.0.0', 2024, 0, 2]],
    );
    assert.deepEqual(table.badLines, []);
  });
});

describe('addresses', () => {
  it('are words in the byte order of the host', () => {
    const little: [string, 4 | 6, string][] = [
      ['0100007F', 4, '127.0.0.1'],
      ['00000000', 4, '0.0.0.0'],
      ['020200C0', 4, '192.0.2.2'],
      ['00000000000000000000000000000000', 6, '::'],
      ['00000000000000000000000001000000', 6, '::1'],
      ['000000FD000000000000000002000000', 6, 'fd00::2'],
      ['000080FE00000000FF00FC00010000FE', 6, 'fe80::fc:ff:fe00:1'],
      ['0000000000000000FFFF00000100007F', 6, '::ffff:127.0.0.1'],
      ['B80D0120010000000000000001000000', 6, '2001:db8:0:1::1'],
      ['B80D0120000001000000000001000100', 6, '2001:db8:1::1:1'],
    ];
    for (const [hex, family, text] of little) assert.equal(decodeAddress(hex, family), text);
    assert.equal(decodeAddress('7F000001', 4, false), '127.0.0.1');
    assert.equal(decodeAddress('00000000000000000000000000000001', 6, false), '::1');
    for (const bad of ['', '0100007', '0100007f', '0100007FF']) assert.equal(decodeAddress(bad, 4), undefined);
  });
});

describe('a namespace', () => {
  const snmp =
    'Ip: Forwarding\nIp: 1\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors\nUdp: 65 3 2 66 1\nUdpLite: InDatagrams\nUdpLite: 99\n';

  it('adds the datagrams of both families', () => {
    const snmp6 =
      'Ip6InReceives   7\nUdp6InDatagrams                 \t10\nUdp6NoPorts 1\nUdp6InErrors 0\nUdp6RcvbufErrors 4\nUdpLite6InDatagrams 50\n';
    assert.deepEqual(parseUdpCounters(snmp, snmp6), {
      inDatagrams: 75,
      noPorts: 4,
      inErrors: 2,
      receiveBufferErrors: 5,
    });
    assert.equal(parseUdpCounters(snmp, '')?.inDatagrams, 65);
    assert.equal(parseUdpCounters('Udp: InDatagrams\n', ''), undefined);
    assert.equal(parseUdpCounters('Udp: InDatagrams\nUdp: x\n', ''), undefined);
  });

  it('has the local addresses of its routes, with local ranges as prefixes', () => {
    const trie = [
      'Local:',
      '  +-- 0.0.0.0/0 3 0 5',
      '     +-- 127.0.0.0/8 2 0 2',
      '           |-- 127.0.0.0',
      '              /8 host LOCAL',
      '           |-- 127.0.0.1',
      '              /32 host LOCAL',
      '           |-- 192.0.2.0',
      '              /24 link UNICAST',
      '           |-- 192.0.2.2',
      '              /32 host LOCAL',
      '           |-- 192.0.2.255',
      '              /32 link BROADCAST',
    ].join('\n');
    assert.deepEqual(parseFibTrie(trie), ['127.0.0.0/8', '127.0.0.1', '192.0.2.2']);
  });

  it('has the IPv6 addresses of its interfaces, in network byte order', () => {
    const text =
      'fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n00000000000000000000000000000001 01 80 10 80       lo\n';
    assert.deepEqual(parseIfInet6(text), ['fe80::fc:ff:fe00:1', '::1']);
  });
});
