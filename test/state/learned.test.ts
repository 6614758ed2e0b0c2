import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Socket } from '../../src/model/model.js';
import { expireLearned, forgetLearned, type Learned, learn, learnedListeners } from '../../src/state/learned.js';

const rules = { learnAfter: 300, remember: 3600 };
const held = (port: number, inode: number, rest: Partial<Socket> = {}) => ({
  protocol: 'udp' as const,
  family: 6 as const,
  address: '::',
  port,
  netns: 1,
  inode,
  ...rest,
});
const look = (learned: Learned, sockets: ReturnType<typeof held>[], now: number, more = rules) =>
  learn(learned, 'agent', sockets, now, more);
const ports = (learned: Learned) =>
  learnedListeners(learned, 'agent').map((l) => `${l.protocol}/${l.address}:${l.port}`);

describe('learned listeners', () => {
  it('a socket held in two looks learn_after apart is learned, one second earlier it is not', () => {
    const first = look({}, [held(9000, 1)], 1000);
    assert.deepEqual(ports(first), []);
    assert.deepEqual(ports(look(first, [held(9000, 1)], 1299)), []);
    assert.deepEqual(ports(look(first, [held(9000, 1)], 1300)), ['udp/*:9000']);
  });

  it('a short-lived outbound socket is never learned, though its port be used again and again', () => {
    let learned: Learned = {};
    for (let now = 0; now < 5000; now += 10) learned = look(learned, [held(9000, 1), held(40_000, 100 + now)], now);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
  });

  it('a learned listener outlives its socket, a restart and the process', () => {
    let learned = look(look({}, [held(9000, 1)], 0), [held(9000, 1)], 300);
    learned = look(learned, [], 310);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
    learned = look(JSON.parse(JSON.stringify(learned)) as Learned, [held(9000, 2)], 400);
    assert.deepEqual(ports(learned), ['udp/*:9000']);
  });

  it('a learned listener is forgotten `remember` after it was last seen; 0 keeps it for ever', () => {
    const learned = look(look({}, [held(9000, 1)], 0), [held(9000, 1)], 300);
    assert.deepEqual(ports(look(learned, [], 300 + 3599)), ['udp/*:9000']);
    assert.deepEqual(ports(look(learned, [], 300 + 3600)), []);
    assert.deepEqual(ports(expireLearned(learned, 300 + 3600, rules)), []);
    assert.deepEqual(ports(expireLearned(learned, 1e9, { ...rules, remember: 0 })), ['udp/*:9000']);
  });

  it('learn_after 0 learns nothing', () => {
    const off = { ...rules, learnAfter: 0 };
    assert.deepEqual(look(look({}, [held(9000, 1)], 0, off), [held(9000, 1)], 9e9, off), {});
  });

  it('one look that misses the socket does not start its time again', () => {
    let learned = look({}, [held(9000, 1)], 0);
    learned = look(learned, [], 10);
    assert.deepEqual(ports(look(learned, [held(9000, 1)], 300)), ['udp/*:9000']);
  });

  it('what a predicted listener explains is not learned', () => {
    const both = [held(9000, 1), held(9001, 2)];
    const explained = (socket: { port: number }) => socket.port === 9000;
    const first = learn({}, 'agent', both, 0, rules, explained);
    assert.deepEqual(ports(learn(first, 'agent', both, 300, rules, explained)), ['udp/*:9001']);
  });

  it('the listener says what socket it should be', () => {
    const sockets = [
      held(9000, 1),
      held(514, 2, { family: 4, address: '127.0.0.1' }),
      held(5044, 3, { protocol: 'tcp', address: '::1' }),
    ] as ReturnType<typeof held>[];
    const listeners = learnedListeners(look(look({}, sockets, 0), sockets, 300), 'agent');
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

  it('forget takes one port, or all', () => {
    const both = [held(9000, 1), held(9001, 2)];
    const learned = look(look({}, both, 0), both, 300);
    assert.deepEqual(ports(forgetLearned(learned, 'agent', { protocol: 'udp', port: 9000 })), ['udp/*:9001']);
    assert.equal(forgetLearned(learned, 'agent', { protocol: 'tcp', port: 9000 }), learned);
    assert.deepEqual(forgetLearned(learned, 'agent'), {});
  });

  it('a storm of sockets stays within bounds and does not push the oldest out', () => {
    let learned = look({}, [held(9000, 1)], 0);
    const storm = Array.from({ length: 5000 }, (_, n) => held(10_000 + n, 10 + n));
    learned = look(learned, [held(9000, 1), ...storm], 1);
    assert.ok(Object.keys(learned['agent']!).length <= 512);
    assert.deepEqual(ports(look(learned, [held(9000, 1)], 300)), ['udp/*:9000']);
  });
});
