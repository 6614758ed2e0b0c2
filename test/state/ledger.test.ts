import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { advance, droppedWithin, isReproducible, type Ledger, ledgerKey, pruneLedger } from '../../src/state/ledger.js';

const key = ledgerKey('core', 'udp', '*', 9000);
const boot = 'boot-1';
const socket = (inode: number, drops: number) => ({ netns: 1, inode, drops });
const step = (ledger: Ledger, sockets: ReturnType<typeof socket>[], now = 0, bootId = boot): Ledger => {
  const entry = advance(ledger[key], sockets, { now, bootId });
  return entry === undefined ? ledger : { ...ledger, [key]: entry };
};
const totalOf = (ledger: Ledger) => ledger[key]?.total;

describe('the loss ledger', () => {
  it("starts at the kernel's own count", () => {
    assert.equal(totalOf(step({}, [socket(1, 17)])), 17);
  });

  it('adds what the same socket dropped since', () => {
    assert.equal(totalOf(step(step({}, [socket(1, 17)]), [socket(1, 20)])), 20);
  });

  it('continues over a new bind, whose socket starts at 0', () => {
    const bound = step({}, [socket(1, 17)]);
    assert.equal(totalOf(step(bound, [socket(2, 0)])), 17);
    assert.equal(totalOf(step(step(bound, [socket(2, 0)]), [socket(2, 5)])), 22);
  });

  it('counts the drops of a new socket before its first scan', () => {
    assert.equal(totalOf(step(step({}, [socket(1, 17)]), [socket(2, 4)])), 21);
  });

  it('stays while there is no socket, and a socket missed by one reading is not counted twice', () => {
    const missed = step(step({}, [socket(1, 17)]), []);
    assert.equal(totalOf(missed), 17);
    assert.equal(totalOf(step(missed, [socket(1, 18)])), 18);
  });

  it('follows the 32-bit counter when it wraps, printed signed or unsigned', () => {
    const near = step({}, [socket(1, 2 ** 32 - 10)]);
    assert.equal(totalOf(step(near, [socket(1, 5)])), 2 ** 32 + 5);
    const signed = step({}, [socket(1, 2 ** 31 - 1)]);
    assert.equal(totalOf(step(signed, [socket(1, -(2 ** 31))])), 2 ** 31);
    assert.equal(totalOf(step(step(signed, [socket(1, -1)]), [socket(1, 1)])), 2 ** 32 + 1);
  });

  it('takes a small decrease for another socket with the same inode', () => {
    assert.equal(totalOf(step(step({}, [socket(1, 100)]), [socket(1, 3)])), 103);
  });

  it('treats every socket of another boot as new', () => {
    assert.equal(totalOf(step(step({}, [socket(1, 100)]), [socket(1, 100)], 0, 'boot-2')), 200);
  });

  it('adds the sockets up where several serve one listener', () => {
    const two = step({}, [socket(1, 3), socket(2, 4)]);
    assert.equal(totalOf(two), 7);
    assert.equal(totalOf(step(two, [socket(1, 4), socket(2, 4)])), 8);
  });

  it('has no entry for a listener without a socket', () => {
    assert.equal(totalOf(step({}, [])), undefined);
  });

  it('never decreases and never exceeds the drops of the kernel, whatever happens between scans', () => {
    let seed = 20_240_917;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let run = 0; run < 200; run += 1) {
      let inode = 1;
      let kernel = random(2) === 0 ? 0 : 2 ** 32 - 1 - random(1000);
      let ledger = step({}, [socket(inode, kernel)]);
      let dropped = kernel;
      let lost = 0;
      let unseen = 0;
      let before = kernel;
      for (let look = 0; look < 50; look += 1) {
        const burst = random(400);
        kernel = (kernel + burst) % 2 ** 32;
        dropped += burst;
        unseen += burst;
        const what = random(6);
        if (what === 0) {
          // Closed before the next scan: its drops since the last one are lost.
          lost += unseen;
          unseen = 0;
          inode += 1;
          kernel = 0;
        }
        if (what === 1) {
          ledger = step(ledger, []);
        } else {
          ledger = step(ledger, [socket(inode, kernel)]);
          unseen = 0;
        }
        const total = totalOf(ledger) ?? 0;
        assert.ok(total >= before, `run ${run}`);
        assert.equal(total, dropped - lost - unseen, `run ${run}, look ${look}`);
        before = total;
      }
    }
  });

  it('survives being written and read as JSON', () => {
    const ledger = step(step({}, [socket(1, 17)]), [socket(2, 4)]);
    assert.deepEqual(step(JSON.parse(JSON.stringify(ledger)) as Ledger, [socket(2, 9)]), step(ledger, [socket(2, 9)]));
  });

  it('keeps only a few closed sockets', () => {
    let ledger: Ledger = {};
    for (let inode = 1; inode <= 1000; inode += 1) ledger = step(ledger, [socket(inode, 1)]);
    assert.equal(totalOf(ledger), 1000);
    assert.ok(Object.keys(ledger[key]!.sockets).length <= 8);
  });

  it('is the same object while nothing is dropped, and nothing opened or closed', () => {
    const entry = step({}, [socket(1, 17)])[key];
    assert.equal(advance(entry, [socket(1, 17)], { now: 60, bootId: boot }), entry);
    const closed = advance(entry, [], { now: 60, bootId: boot });
    assert.equal(advance(closed, [], { now: 61, bootId: boot }), closed);
  });

  it('is reproducible from open sockets, not from closed ones', () => {
    const told = (written: Ledger, now: Ledger) => isReproducible(written[key], now[key]!);
    const written = step({}, [socket(1, 17)]);
    assert.ok(told({}, written));
    const risen = step(written, [socket(1, 20)]);
    assert.ok(told(written, risen));
    assert.ok(!told(written, step(risen, [])), 'closed');
    assert.ok(!told(written, step(risen, [socket(2, 0)])), 'bound again');
    assert.ok(told(risen, step(risen, [])), 'what it dropped is written');
    assert.ok(told(written, step(step(risen, []), [socket(1, 20)])), 'missed by one reading alone');
    assert.ok(!told(written, step(risen, [socket(1, 20)], 0, 'boot-2')), 'of another boot');
  });

  it('with more sockets than an entry keeps, the drops of a closed one are not reproducible', () => {
    const many = (drops: number) => Array.from({ length: 12 }, (_, n) => socket(n, drops));
    const written = step({}, many(1));
    const risen = step(written, many(2));
    assert.ok(isReproducible(written[key], risen[key]!));
    assert.ok(!isReproducible(written[key], step(risen, many(2).slice(1))[key]!));
  });

  it('is pruned by instance name, whatever characters the name has', () => {
    const odd = ledgerKey('x",', 'udp', '*', 9000);
    const entry = step({}, [socket(1, 17)])[key]!;
    assert.deepEqual(pruneLedger({ [odd]: entry, [key]: entry }, new Set(['x",'])), { [odd]: entry });
  });

  it('is pruned by instance name', () => {
    const ledger = step({}, [socket(1, 17)]);
    assert.equal(pruneLedger(ledger, new Set(['core'])), ledger);
    assert.deepEqual(pruneLedger(ledger, new Set(['other'])), {});
  });
});

describe('drops within the last minutes', () => {
  it('drops before the first scan are not a rise', () => {
    assert.equal(droppedWithin(step({}, [socket(1, 17)], 1000)[key], 1000, 300), 0);
  });

  it('a rise counts until the window has passed', () => {
    const ledger = step(step({}, [socket(1, 0)], 1000), [socket(1, 6)], 1001);
    assert.equal(droppedWithin(ledger[key], 1002, 300), 6);
    assert.equal(droppedWithin(ledger[key], 1300, 300), 6);
    assert.equal(droppedWithin(ledger[key], 1301, 300), 0);
  });

  it('steady loss stays within a bounded list', () => {
    let ledger: Ledger = {};
    for (let now = 0; now <= 2000; now += 1) ledger = step(ledger, [socket(1, now)], now);
    assert.ok(ledger[key]!.rises.length <= 31);
    assert.ok(Math.abs(droppedWithin(ledger[key], 2000, 300) - 300) <= 10);
  });
});
