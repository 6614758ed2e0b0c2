/** Which Filebeats of ordinary users a scan reads in full. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRotation } from '../../src/discovery/processes/rotation.js';

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
