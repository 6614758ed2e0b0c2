import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Socket } from '../../src/model/model.js';
import { expireLearned, forgetLearned, type Learned, learn, learnedListeners } from '../../src/state/learned.js';

const rules = { learnAfter: 300, remember: 3600 };
const socketOn = (port: number, inode: number, rest: Partial<Socket> = {}) => ({
  protocol: 'udp' as const,
  family: 6 as const,
  address: '::',
  port,
  netns: 1,
  inode,
  ...rest,
});
const scan = (learned: Learned, sockets: ReturnType<typeof socketOn>[], now: number, more = rules) =>
  learn(learned, 'agent', { sockets }, now, more);
const ports = (learned: Learned) =>
  learnedListeners(learned, 'agent').map((l) => `${l.protocol}/${l.address}:${l.port}`);

describe('learned listeners', () => {
  it('a socket seen in two scans learn_after apart is learned; one second earlier it is not', () => {
    const first = scan({}, [socketOn(9000, 1)], 1000);
    assert.deepEqual(ports(first), []);
    assert.deepEqual(ports(scan(first, [socketOn(9000, 1)], 1299)), []);
    assert.deepEqual(ports(scan(first, [socketOn(9000, 1)], 1300)), ['udp/*:9000']);
  });

  it('short-lived outbound sockets are never learned, even if they reuse one port', () => {
    let learned: Learned = {};
    for (let now = 0; now < 5000; now += 10)
      learned = scan(learned, [socketOn(9000, 1), socketOn(40_000, 100 + now)], now);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
  });

  it('a learned listener outlives its socket, a restart and the process', () => {
    let learned = scan(scan({}, [socketOn(9000, 1)], 0), [socketOn(9000, 1)], 300);
    learned = scan(learned, [], 310);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
    learned = scan(JSON.parse(JSON.stringify(learned)) as Learned, [socketOn(9000, 2)], 400);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
  });

  it('a learned listener is forgotten `remember` seconds after it was last seen; with 0 never', () => {
    const learned = scan(scan({}, [socketOn(9000, 1)], 0), [socketOn(9000, 1)], 300);
    assert.deepEqual(ports(scan(learned, [], 300 + 3599)), ['udp/*:9000']);
    assert.deepEqual(ports(scan(learned, [], 300 + 3600)), []);
    assert.deepEqual(ports(expireLearned(learned, 300 + 3600, rules)), []);
    assert.deepEqual(ports(expireLearned(learned, 1e9, { ...rules, remember: 0 })), ['udp/*:9000']);
  });

  it('learn_after 0 learns nothing', () => {
    const off = { ...rules, learnAfter: 0 };
    assert.deepEqual(scan(scan({}, [socketOn(9000, 1)], 0, off), [socketOn(9000, 1)], 9e9, off), {});
  });

  it('a scan that misses the socket does not restart its time', () => {
    let learned = scan({}, [socketOn(9000, 1)], 0);
    learned = scan(learned, [], 10);
    assert.deepEqual(ports(scan(learned, [socketOn(9000, 1)], 300)), ['udp/*:9000']);
  });

  it('a socket of a predicted listener is not learned', () => {
    const both = [socketOn(9000, 1), socketOn(9001, 2)];
    const seen = { sockets: both, isPredicted: (socket: { port: number }) => socket.port === 9000 };
    const first = learn({}, 'agent', seen, 0, rules);
    assert.deepEqual(ports(learn(first, 'agent', seen, 300, rules)), ['udp/*:9001']);
  });

  it('a learned listener has the address and port of its socket', () => {
    const sockets = [
      socketOn(9000, 1),
      socketOn(514, 2, { family: 4, address: '127.0.0.1' }),
      socketOn(5044, 3, { protocol: 'tcp', address: '::1' }),
    ] as ReturnType<typeof socketOn>[];
    const listeners = learnedListeners(scan(scan({}, sockets, 0), sockets, 300), 'agent');
    assert.deepEqual(
      listeners.map((l) => [l.protocol, l.address, l.port, l.input, l.target]),
      [
        ['tcp', '::1', 5044, 'learned', { kind: 'socket', family: 6, address: '::1', port: 5044, serves: 'ipv6' }],
        ['udp', '*', 9000, 'learned', { kind: 'socket', family: 6, address: '::', port: 9000, serves: 'any' }],
        [
          'udp',
          '127.0.0.1',
          514,
          'learned',
          { kind: 'socket', family: 4, address: '127.0.0.1', port: 514, serves: 'ipv4' },
        ],
      ],
    );
  });

  it('forgetting drops one port, or all', () => {
    const both = [socketOn(9000, 1), socketOn(9001, 2)];
    const learned = scan(scan({}, both, 0), both, 300);
    assert.deepEqual(ports(forgetLearned(learned, 'agent', { protocol: 'udp', port: 9000 })), ['udp/*:9001']);
    assert.equal(forgetLearned(learned, 'agent', { protocol: 'tcp', port: 9000 }), learned);
    assert.deepEqual(forgetLearned(learned, 'agent'), {});
  });

  it('thousands of short-lived sockets stay within the limit and do not displace the oldest', () => {
    let learned = scan({}, [socketOn(9000, 1)], 0);
    const storm = Array.from({ length: 5000 }, (_, n) => socketOn(10_000 + n, 10 + n));
    learned = scan(learned, [socketOn(9000, 1), ...storm], 1);
    assert.ok(Object.keys(learned['agent']!).length <= 512);
    assert.deepEqual(ports(scan(learned, [socketOn(9000, 1)], 300)), ['udp/*:9000']);
  });
});
