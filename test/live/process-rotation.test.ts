/** Many Filebeats of ordinary users: each scan reads some of them in full and verifies all. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, describe, it } from 'node:test';
import { createProcessScanner } from '../../src/discovery/processes/processes.js';
import { FULL_READS_PER_SCAN } from '../../src/discovery/processes/rotation.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { needsRoot } from '../support/needs.js';
import { startStandIn } from '../support/stand-in.js';

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
