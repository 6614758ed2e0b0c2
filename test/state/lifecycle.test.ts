import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InstanceOrigin, Listener, Socket } from '../../src/model/model.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { type Holder, isSuperseded, lastEnd } from '../../src/state/lifecycle.js';
import { udp } from '../support/states.js';
import { type Tree, writeTree } from '../support/tree.js';

const end = (tree: Tree, version?: string) => lastEnd(openFileView(writeTree({ '/var/': '', ...tree })), '/d', version);

describe('how the last process ended', () => {
  it('a remaining lock file means a crash; no lock file beside traces of a run means a clean end', () => {
    assert.equal(end({ '/d/filebeat.lock': '', '/d/meta.json': '{}' }), 'crash');
    assert.equal(end({ '/d/meta.json': '{}' }), 'clean');
    assert.equal(end({ '/d/registry/filebeat/log.json': '' }, '8.19.21'), 'clean');
  });

  it('without traces of a run, and for releases without lock files, it is unknown', () => {
    assert.equal(end({}), undefined);
    assert.equal(end({ '/d/registry': '' }, '6.8.23'), undefined);
    assert.equal(end({ '/d/registry/x': '' }, '7.5.2'), undefined);
    assert.equal(end({ '/d/registry/x': '' }, '7.6.0'), 'clean');
  });
});

describe('superseded', () => {
  const serves = (listener: Listener, socket: Socket) => listener.port === socket.port;
  const holder = (...ports: number[]): Holder => ({
    id: 'b',
    netns: 1,
    sockets: ports.map((port) => ({ port }) as Socket),
  });
  const check = (expected: Listener[], holders: Holder[], origins: InstanceOrigin[] = ['remembered'], netns = 1) =>
    isSuperseded({ id: 'a', netns, origins, expected }, holders, serves);

  it('one other instance that serves all listeners supersedes it, two that serve half each do not', () => {
    assert.equal(check([udp(1), udp(2)], [holder(1, 2, 3)]), true);
    assert.equal(check([udp(1), udp(2)], [holder(1)]), false);
    assert.equal(check([udp(1), udp(2)], [holder(1), { ...holder(2), id: 'c' }]), false);
  });

  it('not without a listener, not in another namespace, not while something else expects it, not by itself', () => {
    assert.equal(check([], [holder(1)]), false);
    assert.equal(check([udp(1)], [holder(1)], ['remembered'], 2), false);
    assert.equal(check([udp(1)], [holder(1)], ['systemd', 'remembered']), false);
    assert.equal(check([udp(1)], [{ ...holder(1), id: 'a' }]), false);
  });

  it('a random port proves nothing', () => {
    const random: Listener = { ...udp(0), target: { kind: 'random', family: 6, address: '::', serves: 'any' } };
    assert.equal(check([random], [holder(0)]), false);
    assert.equal(check([random, udp(1)], [holder(1)]), true);
  });
});
