/** Many Filebeats of ordinary users: each scan reads some of them in full and verifies all. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, describe, it } from 'node:test';
import { createProcessScanner } from '../../src/discovery/processes/processes.js';
import { createRotation, FULL_READS_PER_SCAN } from '../../src/discovery/processes/rotation.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { needsRoot } from '../support/needs.js';
import { startStandIn } from '../support/stand-in.js';

describe('rotation of full reads', () => {
  it('reaches each pid in turn, also while others come and go', () => {
    const rotate = createRotation(3);
    const of = (...pids: number[]) => [...rotate(pids.map((pid) => ({ pid, account: 1000 })))];
    const all = [11, 12, 13, 14, 15, 16, 17];
    assert.deepEqual(of(...all), [11, 12, 13]);
    assert.deepEqual(of(...all), [14, 15, 16]);
    assert.deepEqual(of(...all, 18), [17, 18, 11]);
    assert.deepEqual(of(13, 14, 15, 16), [13, 14, 15]);
    assert.deepEqual(of(1, 2), [1, 2]);
  });

  it('a user with many processes delays no other user', () => {
    const rotate = createRotation(4);
    const many = Array.from({ length: 1000 }, (_, at) => ({ pid: 5000 + at, account: 1001 }));
    const few = [3, 9000].map((pid) => ({ pid, account: 1000 }));
    for (let scan = 0; scan < 5; scan++) {
      const turn = rotate([...many, ...few]);
      assert.ok(turn.has(3) && turn.has(9000) && turn.size === 4, [...turn].join(' '));
    }
    const users = Array.from({ length: 9 }, (_, at) => ({ pid: at + 1, account: at + 1 }));
    assert.equal(rotate(users).size, 9);
  });
});

describe('more Filebeats of a user than one scan reads in full', needsRoot, () => {
  const ends: (() => Promise<void>)[] = [];
  after(() => Promise.all(ends.map((end) => end())));

  it('one that ends and one that becomes another program are gone in the next scan', async () => {
    const root = await startStandIn({ argv: ['nothing'] });
    ends.push(root.stop);
    chmodSync(dirname(root.executable), 0o755);
    const all = [];
    for (let n = 0; n < FULL_READS_PER_SCAN + 8; n++) {
      const one = await startStandIn({ argv: ['filebeat', '-c', `/${n}.yml`], uid: 4242 });
      ends.push(one.stop);
      all.push(one);
    }
    const pids = all.map(({ pid }) => pid);
    const scanner = createProcessScanner(openProcFs('/proc'));
    const scan = () => new Map(scanner.scan().filebeats.map((one) => [one.process.pid, one]));
    const first = scan();
    const second = scan();
    assert.equal(pids.filter((pid) => first.has(pid)).length, pids.length);
    assert.equal(pids.filter((pid) => second.get(pid) !== first.get(pid)).length, FULL_READS_PER_SCAN, 'read in full');
    const third = scan();
    assert.ok(
      pids.every((pid) => third.get(pid) !== first.get(pid)),
      'all of them within two scans',
    );
    // The next scan would read neither of them in full.
    const turn = pids.filter((pid) => third.get(pid) !== second.get(pid));
    const [ended, other] = all.filter(({ pid }) => pid === turn.at(-1) || pid === turn.at(-2));
    await ended!.stop();
    await other!.exec('other', ['other']);
    const last = scan();
    assert.deepEqual([last.has(ended!.pid), last.has(other!.pid)], [false, false]);
    assert.equal(pids.filter((pid) => last.has(pid)).length, pids.length - 2);
  });
});
