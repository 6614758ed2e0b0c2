/**
 * Results that are reused from scan to scan are those that a new computation would give. Every scan is judged twice: as it is, and
 * as a copy that shares no object with the scan before.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory, nextScanHistory } from '../../src/correlate/scan-history.js';
import { renderMetrics } from '../../src/exporter/metrics/metrics.js';
import type { HostFacts, Instance, Report, Snapshot, Socket } from '../../src/model/model.js';
import { emptyHistory, nextHistory } from '../../src/report/history.js';
import { emptyJournal, nextJournal } from '../../src/report/journal.js';
import { accountForDrops } from '../../src/scan/drops.js';
import { fitOf, indexSockets } from '../../src/scan/socket-index.js';
import { createPacker, createUnpacker } from '../../src/scan/thread/snapshot-transfer.js';
import type { Ledger } from '../../src/state/ledger.js';
import { instance, listener, now, process as processOf, snapshot, socket, thresholds } from '../support/build.js';
import { deepFreeze } from '../support/freeze.js';
import { createChance } from '../support/random.js';

const options = { version: '1', nodeVersion: 'v1', legacyPortMetric: true };

/** Turns snapshots into reports, as the main thread does. */
function createPipeline() {
  let scans = emptyScanHistory;
  let history = emptyHistory;
  let journal = emptyJournal;
  let last: Report | undefined;
  return (shot: Snapshot) => {
    const verdict = correlate(shot, scans, thresholds);
    scans = nextScanHistory(scans, shot, verdict, thresholds.grace);
    const scan = { snapshot: shot, verdict };
    history = nextHistory(history, scan);
    journal = nextJournal(journal, last, scan);
    last = { ...scan, history, journal };
    return { report: last, scans, text: renderMetrics(last, options).toString() };
  };
}

interface Host {
  instances: Instance[];
  sockets: Socket[];
  drops: NonNullable<Snapshot['drops']>;
  limits: HostFacts;
}

function healthyHost(): Host {
  const hosts = (first: number) => [first, first + 1, first + 2].map((port) => `0.0.0.0:${port}`);
  const flow = listener('0.0.0.0:2055', { input: 'netflow', retry: 'deaf' });
  const instances = [
    instance(
      'core',
      11,
      hosts(9000).map((host) => listener(host)),
    ),
    instance(
      'edge',
      12,
      hosts(9100).map((host) => listener(host, { readBuffer: 100_000 })),
    ),
    instance('flow', 13, [flow, listener('127.0.0.1:0')]),
  ];
  const sockets = [
    ...hosts(9000).map((host) => socket(host, 11)),
    ...hosts(9100).map((host) => socket(host, 12)),
    socket('0.0.0.0:2055', 13),
    socket('127.0.0.1:40000', 13),
  ];
  const none = { total: 0, recent: 0 };
  const drops = Object.fromEntries(
    instances.map(({ id, expected }) => [
      id,
      Object.fromEntries(expected.map(({ protocol, address, port }) => [`${protocol}|${address}|${port}`, none])),
    ]),
  );
  return { instances, sockets, drops, limits: snapshot([], []).host };
}

/** One random event on a host; everything else stays the same object. */
function happen(host: Host, next: () => number): Host {
  const pick = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)]!;
  const { instances, sockets, drops } = host;
  const at = Math.floor(next() * sockets.length);
  const some = pick(instances);
  const replace = (by: (one: Instance) => Instance) => instances.map((one) => (one === some ? by(one) : one));
  const change = (by: Partial<Socket>) => sockets.map((one, index) => (index === at ? { ...one, ...by } : one));
  const { process: _, ...dead } = some;
  switch (Math.floor(next() * 11)) {
    case 0:
      return { ...host, sockets: change({ receiveQueue: Math.floor(next() * 300_000) }) };
    case 1:
      return { ...host, sockets: sockets.filter((_one, index) => index !== at) };
    case 2:
      return { ...host, sockets: change({ owners: [{ pid: 99, startTicks: 9900, comm: 'thief' }] }) };
    case 3:
      return { ...host, sockets: change({ owners: [], ownersKnown: false }) };
    case 4:
      return { ...host, sockets: [...sockets, socket(`0.0.0.0:${9000 + Math.floor(next() * 3)}`, 98)] };
    case 5: {
      const [key, before] = pick(Object.entries(drops[some.id]!));
      const risen = { total: before.total + 7, recent: next() < 0.5 ? 7 : 0 };
      return { ...host, drops: { ...drops, [some.id]: { ...drops[some.id], [key]: risen } } };
    }
    case 6:
      return { ...host, instances: replace((one) => ({ ...one, process: processOf(20 + Math.floor(next() * 9)) })) };
    case 7:
      return { ...host, instances: instances.length > 1 ? replace(() => dead as Instance) : instances };
    case 8:
      return { ...host, limits: { ...host.limits, rmemMax: next() < 0.5 ? 50_000 : 212_992 } };
    case 9:
      return { ...host, instances: replace((one) => ({ ...one, expected: [...one.expected].reverse() })) };
    default:
      return healthyHost();
  }
}

describe('what did not change between two scans', () => {
  it('is judged, rendered and remembered as in a first scan', () => {
    let reused = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const { below } = createChance(seed);
      const next = () => below(1_000_000) / 1_000_000;
      const [kept, anew] = [createPipeline(), createPipeline()];
      let host = healthyHost();
      let before: Report | undefined;
      for (let scan = 0; scan < 40; scan++) {
        if (next() < 0.5) host = happen(host, next);
        const shot = snapshot([...host.instances], host.sockets, {
          takenAt: now + scan * 20,
          drops: host.drops,
          host: { ...host.limits },
        });
        // Nothing may change a snapshot or an earlier report.
        const one = kept(deepFreeze(shot));
        deepFreeze(one.report);
        const other = anew(structuredClone(shot));
        assert.deepEqual(one, other, `seed ${seed}, scan ${scan}`);
        if (one.report.verdict.instances[0]?.ports === before?.verdict.instances[0]?.ports) reused++;
        before = one.report;
      }
    }
    assert.ok(reused > 300, `${reused} times the verdicts on the first instance were kept`);
  });

  it('has the same drops as in a first scan', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { below } = createChance(seed);
      const next = () => below(1_000_000) / 1_000_000;
      let host = healthyHost();
      let kept: Ledger = {};
      let anew: Ledger = {};
      for (let scan = 0; scan < 40; scan++) {
        if (next() < 0.5) host = happen(host, next);
        if (next() < 0.2) host = { ...host, sockets: host.sockets.map((one) => ({ ...one, drops: one.drops + 3 })) };
        const context = { now: now + scan * 20, bootId: seed % 2 === 0 && scan > 20 ? 'later' : 'boot' };
        const copy = structuredClone(host);
        const one = accountForDrops(kept, host.instances, indexSockets(host.sockets, true), context);
        const other = accountForDrops(anew, copy.instances, indexSockets(copy.sockets, true), context);
        assert.deepEqual(one, other, `seed ${seed}, scan ${scan}`);
        // Another state took its place: the ledger of the scan before, the same object.
        kept = next() < 0.1 ? kept : one.ledger;
        // Another program wrote the state file: entries that this exporter did not make.
        const [key] = Object.keys(kept);
        if (next() < 0.1 && key !== undefined) kept = { ...kept, [key]: { ...kept[key]!, total: 1000 } };
        anew = structuredClone(kept);
      }
    }
  });

  it('is the same object in both threads', () => {
    const { instances, sockets, drops } = healthyHost();
    const [pack, unpack] = [createPacker(), createUnpacker()];
    const send = (shot: Snapshot) => {
      const { snapshot: rest, dropIds, ...lists } = structuredClone(pack(shot));
      const fresh = Object.values(lists).reduce((sum, list) => sum + list.fresh.length, 0);
      return {
        fresh,
        lists: Object.keys(lists),
        shot: unpack({ snapshot: rest, ...(dropIds && { dropIds }), ...lists }),
      };
    };
    const shot = () => snapshot([...instances], [...sockets], { drops: { ...drops } });
    const first = send(shot());
    assert.deepEqual(first.shot, shot());
    const second = send(shot());
    assert.deepEqual(second.lists, [], 'lists that stay the same do not cross again');
    assert.deepEqual(second.shot, shot());
    const [one, other] = [first.shot, second.shot];
    assert.equal(one.instances[0], other.instances[0]);
    assert.equal(one.sockets[3], other.sockets[3]);
    assert.equal(one.drops?.['id-core'], other.drops?.['id-core']);

    sockets[3] = { ...sockets[3]!, drops: 5 };
    const third = send(shot());
    assert.equal(third.fresh, 1);
    assert.equal(third.shot.sockets[3]!.drops, 5);

    instances[0] = { ...instances[0]!, restarts: 7 };
    const fourth = send(shot());
    assert.equal(fourth.fresh, 1, 'its prediction and its listeners do not cross again');
    assert.deepEqual(fourth.shot, shot());
    assert.equal(fourth.shot.instances[0]!.expected, other.instances[0]!.expected);
  });

  it('reaches the other thread whole, whatever changes, goes and comes back', () => {
    const { instances, sockets, drops } = healthyHost();
    const { oneIn } = createChance(7);
    const [pack, unpack] = [createPacker(), createUnpacker()];
    const some = <T>(all: readonly T[], change: (one: T) => T): T[] =>
      all.flatMap((one) => (oneIn(5) ? [] : oneIn(5) ? [change(one)] : oneIn(10) ? [one, one] : [one]));
    for (let scan = 0; scan < 200; scan++) {
      const isCalm = oneIn(3);
      const shot = isCalm
        ? snapshot([...instances], [...sockets], { drops: { ...drops } })
        : snapshot(
            some(instances, (one) => ({ ...one, restarts: scan })),
            some(sockets, (one) => ({ ...one, drops: scan })),
            oneIn(5) ? {} : { drops: Object.fromEntries(some(Object.entries(drops ?? {}), (one) => one)) },
          );
      assert.deepEqual(unpack(structuredClone(pack(shot))), shot, `scan ${scan}`);
    }
  });

  it('has the same fit in any order of sockets', () => {
    const { instances, sockets } = healthyHost();
    const held = (these: readonly Socket[]) => indexSockets(these, true);
    const core = instances[0]!;
    const whole = fitOf(core, held(sockets));
    assert.deepEqual([whole.lacksNothing, whole.explainsAll], [true, true]);
    assert.equal(fitOf(core, held([...sockets])), whole);
    const lacking = fitOf(core, held(sockets.slice(1)));
    assert.deepEqual([lacking.lacksNothing, lacking.explainsAll], [false, true]);
    const beyond = fitOf(core, held([...sockets, socket('0.0.0.0:9999', 11)]));
    assert.deepEqual([beyond.lacksNothing, beyond.explainsAll], [true, false]);
  });
});
