import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collides, type Network, resolveHost, serves } from '../../src/filebeat/net/address.js';
import { formatIpv6, parseAddress } from '../../src/filebeat/net/ip.js';
import { type NameTables, nameTables, parseHosts, parseServices } from '../../src/filebeat/net/name-tables.js';
import type { Gap, Protocol, Target } from '../../src/model/model.js';
import { memoryFiles } from '../support/memory-files.js';

const names: NameTables = {
  hosts: (name) =>
    parseHosts('127.0.0.1 localhost\n::1 localhost six\n10.0.0.1 four # six').get(name.toLowerCase()) ?? [],
  service: (name, protocol) => parseServices('syslog 514/udp')[protocol].get(name.toLowerCase()),
};

/** `family address:port serves` of a socket; of other targets kind and reason. */
function show(host: string, network: Network = 'any', protocol: Protocol = 'udp'): string {
  const { target } = resolveHost(host, protocol, network, names);
  if (target.kind === 'socket') return `${target.family} ${target.address} ${target.port} ${target.serves}`;
  if (target.kind === 'random') return `random ${target.family} ${target.address} ${target.serves}`;
  return target.kind === 'name' ? `name ${target.port}` : `${target.kind} ${target.why}`;
}

describe('a configured host', () => {
  const rows: [host: string, becomes: string, label: string][] = [
    [':9000', '6 :: 9000 any', '*'],
    ['[::]:9000', '6 :: 9000 any', '*'],
    ['[::%lo]:9000', '6 :: 9000 any', '*'],
    ['0.0.0.0:9000', '6 :: 9000 ipv4', '*'],
    ['', 'random 6 :: any', '*'],
    [':', 'random 6 :: any', '*'],
    [':0', 'random 6 :: any', '*'],
    ['127.0.0.1:', 'random 4 127.0.0.1 ipv4', '127.0.0.1'],
    ['127.0.0.5:9000', '4 127.0.0.5 9000 ipv4', '127.0.0.5'],
    ['LOCALHOST:9000', '4 127.0.0.1 9000 ipv4', '127.0.0.1'],
    ['[localhost]:9000', '6 ::1 9000 ipv6', '::1'],
    ['six:9000', '6 ::1 9000 ipv6', '::1'],
    ['[::ffff:127.0.0.1]:9000', '4 127.0.0.1 9000 ipv4', '127.0.0.1'],
    ['[2001:DB8:0:0::1]:9000', '6 2001:db8::1 9000 ipv6', '2001:db8::1'],
    ['239.1.2.3:9000', '4 0.0.0.0 9000 ipv4', '239.1.2.3'],
    ['[ff02::1]:9000', '6 :: 9000 any', 'ff02::1'],
    [':syslog', '6 :: 514 any', '*'],
    [':DOMAIN', '6 :: 53 any', '*'],
    [':09000', '6 :: 9000 any', '*'],
    [':+9000', '6 :: 9000 any', '*'],
    [':0x2328', 'invalid unknown-service', '*'],
    ['127.0.0.1:9000 ', 'invalid unknown-service', '127.0.0.1'],
    ['127.0.0.1:9000\n', 'invalid unknown-service', '127.0.0.1'],
    [':70000', 'invalid bad-port', '*'],
    [':-1', 'invalid bad-port', '*'],
    ['9000', 'invalid missing-port', '9000'],
    ['[::1]', 'invalid missing-port', '[::1]'],
    ['::1:9000', 'invalid too-many-colons', '::1:9000'],
    ['udp://127.0.0.1:9000', 'invalid too-many-colons', 'udp://127.0.0.1:9000'],
    ['*:9000', 'invalid bad-host', '*'],
    ['0:9000', 'invalid bad-host', '0'],
    ['127.1:9000', 'invalid bad-host', '127.1'],
    ['127.0.0.01:9000', 'invalid bad-host', '127.0.0.01'],
    [' 127.0.0.1:9000', 'invalid bad-host', ' 127.0.0.1'],
    ['[a[b]:9', 'invalid bad-host', '[a[b]:9'],
    ['collector.example:9000', 'name 9000', 'collector.example'],
  ];
  for (const [host, becomes, label] of rows)
    test(`${JSON.stringify(host)} becomes ${becomes}`, () => {
      assert.equal(show(host), becomes);
      assert.equal(resolveHost(host, 'udp', 'any', names).address, label);
    });
});

describe('network narrows the family', () => {
  const rows: [host: string, network: Network, becomes: string][] = [
    ['0.0.0.0:9000', 'v4', '4 0.0.0.0 9000 ipv4'],
    [':9000', 'v4', '4 0.0.0.0 9000 ipv4'],
    ['[::]:9000', 'v4', '4 0.0.0.0 9000 ipv4'],
    ['[::1]:9000', 'v4', 'invalid wrong-family'],
    [':9000', 'v6', '6 :: 9000 ipv6'],
    ['[::]:9000', 'v6', '6 :: 9000 ipv6'],
    ['localhost:9000', 'v6', '6 ::1 9000 ipv6'],
    ['four:9000', 'v6', 'invalid wrong-family'],
    ['0.0.0.0:9000', 'v6', 'invalid wrong-family'],
    ['', 'v6', 'random 6 :: ipv6'],
  ];
  for (const [host, network, becomes] of rows)
    test(`${host || 'no host'} over ${network} becomes ${becomes}`, () => assert.equal(show(host, network), becomes));
});

test('TCP prefers IPv4 for a name in brackets, and has its own table of services', () => {
  assert.equal(show('[localhost]:https', 'any', 'tcp'), '4 127.0.0.1 443 ipv4');
  assert.equal(show(':syslog', 'any', 'tcp'), 'invalid unknown-service');
});

function target(host: string, network: Network = 'any'): Target {
  return resolveHost(host, 'udp', network, names).target;
}

describe('two sockets on one port', () => {
  const rows: [a: Target, b: Target, refused: boolean, fact: string][] = [
    [target(':9'), target('127.0.0.1:9'), true, 'a dual-stack wildcard includes IPv4'],
    [target(':9'), target('[::1]:9'), true, 'a wildcard includes every address of its family'],
    [target('127.0.0.1:9'), target('127.0.0.2:9'), false, 'two addresses coexist'],
    [target('127.0.0.1:9'), target('[::1]:9'), false, 'the loopbacks of two families coexist'],
    [target('0.0.0.0:9', 'v4'), target('[::]:9', 'v6'), false, 'wildcards of one family each coexist'],
    [target('0.0.0.0:9', 'v4'), target(':9'), true, 'an IPv4 wildcard collides with a dual-stack one'],
    [target('0.0.0.0:9', 'v4'), target('[::1]:9'), false, 'an IPv4 wildcard and an IPv6 address coexist'],
    [target('[::]:9', 'v6'), target('127.0.0.1:9'), false, 'an IPv6-only wildcard leaves IPv4 alone'],
    [target('239.1.2.3:9'), target('239.1.2.4:9'), false, 'multicast listeners share the wildcard'],
    [target('239.1.2.3:9'), target('127.0.0.1:9'), true, 'multicast binds the IPv4 wildcard'],
    [target(':9'), target(':10'), false, 'another port is another endpoint'],
    [target('collector.example:9'), target(':9'), false, 'a name never collides'],
  ];
  for (const [a, b, refused, fact] of rows)
    test(fact, () => assert.deepEqual([collides(a, b), collides(b, a)], [refused, refused]));
});

describe('an observed socket', () => {
  const rows: [host: string, socket: [4 | 6, string, number], answer: string, fact: string][] = [
    ['0.0.0.0:9', [6, '::', 9], 'exact', 'an IPv6 wildcard satisfies a wildcard listener'],
    ['0.0.0.0:9', [4, '0.0.0.0', 9], 'exact', 'an IPv4 wildcard serves a host of 0.0.0.0'],
    [':9', [4, '0.0.0.0', 9], 'narrower', 'an IPv4 wildcard is less than both families'],
    ['127.0.0.1:9', [4, '127.0.0.1', 9], 'exact', 'the same address'],
    ['127.0.0.1:9', [4, '127.0.0.2', 9], 'no', 'another address'],
    ['127.0.0.1:9', [4, '127.0.0.1', 10], 'no', 'another port'],
    ['239.1.2.3:9', [4, '0.0.0.0', 9], 'exact', 'multicast is bound to the wildcard'],
    ['collector.example:9', [4, '10.0.0.7', 9], 'exact', 'a name matches on the port alone'],
    [':0', [6, '::', 0], 'no', 'a random port cannot be recognised'],
  ];
  for (const [host, [family, address, port], answer, fact] of rows)
    test(fact, () => assert.equal(serves(target(host), { family, address, port }), answer));

  test('on a kernel without IPv6 the IPv4 wildcard is all there is', () => {
    assert.equal(serves(target(':9'), { family: 4, address: '0.0.0.0', port: 9 }, false), 'exact');
  });
});

test('addresses are canonical', () => {
  const rows = [
    '::ffff:0102:0304',
    '1:0:0:2:0:0:0:3',
    '::1.2.3.4',
    'FE80::1%eth0',
    '1:2:3:4:5:6:7::',
    '01.2.3.4',
    '1:2',
  ];
  assert.deepEqual(
    rows.map((row) => parseAddress(row)?.text),
    ['1.2.3.4', '1:0:0:2::3', '::102:304', 'fe80::1', '1:2:3:4:5:6:7:0', undefined, undefined],
  );
  assert.equal(formatIpv6([0, 0, 0, 0, 0, 0, 0, 1]), '::1');
});

describe('name tables', () => {
  test('a line of services names its aliases, and other protocols are not mixed in', () => {
    const services = parseServices('syslog\t514/udp  sys # syslog2\nhttp 8080/tcp\nbad x/udp\nzero 0/udp');
    assert.deepEqual(
      [services.udp.get('syslog'), services.udp.get('sys'), services.udp.get('syslog2')],
      [514, 514, undefined],
    );
    assert.deepEqual(
      [services.tcp.get('http'), services.tcp.get('syslog'), services.udp.get('zero')],
      [8080, undefined, undefined],
    );
  });

  test('localhost is 127.0.0.1 unless the hosts file has it', () => {
    const gaps: Gap[] = [];
    const read = nameTables(memoryFiles({}), (gap) => gaps.push(gap));
    assert.deepEqual([read.hosts('Localhost'), read.hosts('other'), gaps], [['127.0.0.1'], [], []]);
  });

  test('a hosts file may change localhost', () => {
    const text = '::1 localhost\r\n10.1.1.1 A B\nnonsense c\n';
    const read = nameTables(memoryFiles({ '/etc/hosts': text }), () => assert.fail('a gap'));
    assert.deepEqual([read.hosts('localhost'), read.hosts('b'), read.hosts('c')], [['::1'], ['10.1.1.1'], []]);
  });

  test('with an unreadable services file an unknown service is unresolved, not wrong', () => {
    const gaps: Gap[] = [];
    const read = nameTables(memoryFiles({ '/etc/services': { denied: true } }), (gap) => gaps.push(gap));
    assert.deepEqual(resolveHost(':netflow', 'udp', 'any', read).target, { kind: 'unresolved', why: 'service-name' });
    assert.deepEqual(resolveHost(':domain', 'udp', 'any', read).port, 53);
    assert.deepEqual(
      gaps.map(({ reason }) => reason),
      ['denied'],
    );
  });
});
