import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry, History, Journal, PortVerdict, Report } from '../../src/model/model.js';
import { emptyHistory, maxSamples, nextHistory, spacing, stretches, valueAt } from '../../src/report/history.js';
import { emptyJournal, entriesOf, maxFailures, maxSuccesses, nextJournal } from '../../src/report/journal.js';
import { instance, many, port, report, running, socket, takenAt } from '../support/report.js';

const id = '/|core';
const at = (seconds: number, ...ports: PortVerdict[]): Report =>
  report({ instances: [{ is: running('core'), ports }], snapshot: { takenAt: takenAt + seconds } });
const after = (...scans: Report[]): History => scans.reduce(nextHistory, emptyHistory);
const track = (history: History, key = 'udp|*|9000') => history.ports[id]![key]!;

describe('the history', () => {
  it('stores only changes', () => {
    const history = after(...Array.from({ length: 50 }, (_, i) => at(i * spacing, port(9000))));
    assert.equal(history.times.length, 50);
    assert.deepEqual(track(history), { up: [0, 1], drops: [0, 0], queue: [0, 0], total: 0 });
  });

  it('combines scans in quick succession into one sample with the worst of them', () => {
    const down = port(9000, { up: false, status: 'missing' });
    const history = after(
      at(0, port(9000)),
      at(spacing, port(9000)),
      at(spacing + 1, down),
      at(spacing + 2, port(9000)),
    );
    assert.equal(history.times.length, 2);
    assert.deepEqual(stretches(track(history).up, history), [
      [0, 1, 1],
      [1, 2, 0],
    ]);
  });

  it('counts drops within a sample, not those before the first scan', () => {
    const dropped = (total: number) => port(9000, { dropsTotal: total });
    const history = after(at(0, dropped(70)), at(30, dropped(75)), at(40, dropped(80)), at(60, dropped(80)));
    assert.deepEqual(
      [0, 1, 2].map((n) => valueAt(track(history).drops, n)),
      [0, 10, 0],
    );
  });

  it('stores the queue in eighths of the buffer', () => {
    const queued = (receiveQueue: number) =>
      port(9000, { socket: socket(9000, { receiveQueue }), receiveBuffer: 80_000 });
    const history = after(at(0, queued(0)), at(30, queued(40_000)), at(60, queued(90_000)));
    assert.deepEqual(
      [0, 1, 2].map((n) => valueAt(track(history).queue, n)),
      [0, 4, 8],
    );
  });

  it('drops the oldest samples, and ports that are no longer expected', () => {
    const scans = Array.from({ length: maxSamples + 30 }, (_, i) =>
      at(i * spacing, port(9000, { up: i % 2 === 0, status: 'missing' }), ...(i < 10 ? [port(9001)] : [])),
    );
    const history = after(...scans);
    assert.deepEqual([history.first, history.times.length], [30, maxSamples]);
    assert.deepEqual(Object.keys(history.ports[id]!), ['udp|*|9000']);
    assert.ok(track(history).up.length <= 2 * maxSamples);
    assert.equal(track(history).up[0], 30);
  });

  it('is neither up nor down for what could not be seen', () => {
    const history = after(at(0, port(9000, { status: 'unknown' })));
    assert.deepEqual(track(history).up, [0, -1]);
  });

  it('of 10,000 unchanged ports is one object per port, shared from scan to scan', (context) => {
    const r = many(500, 20);
    const scan = (i: number) => ({ ...r, snapshot: { ...r.snapshot, takenAt: takenAt + i * spacing } });
    let history = nextHistory(emptyHistory, scan(0));
    const first = history;
    for (let i = 1; i < 60; i++) history = nextHistory(history, scan(i));
    for (const [instance, ports] of Object.entries(history.ports))
      for (const [key, one] of Object.entries(ports)) assert.equal(one, first.ports[instance]![key]);
    const size = JSON.stringify(history).length;
    context.diagnostic(`10,000 ports at rest: ${size} bytes as JSON, ${(size / 10_000).toFixed(0)} a port`);
    assert.ok(size < 1_500_000, String(size));
  });
});

const entries = (...given: Report[]): string[] => {
  let journal: Journal = emptyJournal;
  const scans = given.map((r, i) => ({ ...r, snapshot: { ...r.snapshot, takenAt: takenAt + i } }));
  scans.forEach((scan, i) => {
    journal = nextJournal(journal, scans[i - 1], scan);
  });
  return entriesOf(journal).map(line).reverse();
};
const line = ({ kind, ports = [], count, by, end }: Entry) =>
  [kind, ...ports.map((p) => p.port), ...(count === undefined ? [] : [`(${count})`]), by?.comm, end]
    .filter((part) => part !== undefined)
    .join(' ');

const only = (is: Report['snapshot']['instances'][0], ...ports: PortVerdict[]) =>
  report({ instances: [{ is, ports }] });
const missing = (number: number) => port(number, { up: false, status: 'missing' });

describe('the journal', () => {
  it('has no entry for the first scan, nor while nothing changes', () => {
    assert.deepEqual(entries(at(0, port(9000)), at(1, port(9000))), []);
  });

  it('has entries for a process that started, was replaced, and ended', () => {
    const down = instance('core', { lastEnd: 'crash' });
    assert.deepEqual(entries(only(down), only(running('core', 5)), only(running('core', 6)), only(down)), [
      'started',
      'restarted',
      'stopped crash',
    ]);
  });

  it('has one entry for all ports of an instance that were lost, taken or bound again', () => {
    const thief = { pid: 9, startTicks: 1, comm: 'nc' };
    const taken = (n: number) => port(n, { up: false, status: 'taken', socket: socket(n, { owners: [thief] }) });
    const numbers = Array.from({ length: 7 }, (_, i) => 9000 + i);
    const told = entries(
      at(0, ...numbers.map((n) => port(n))),
      at(1, ...numbers.map(missing)),
      at(2, ...numbers.map(taken)),
      at(3, ...numbers.map((n) => port(n))),
    );
    const five = '9000 9001 9002 9003 9004 (7)';
    assert.deepEqual(told, [`lost ${five}`, `taken ${five} nc`, `bound ${five}`]);
  });

  it('has an entry for a port that was never bound, but not for one that is starting or unknown', () => {
    const starting = port(9000, { up: false, status: 'starting' });
    const unseen = port(9000, { status: 'unknown' });
    assert.deepEqual(entries(at(0, starting), at(1, missing(9000))), ['not_bound 9000 (1)']);
    assert.deepEqual(entries(at(0, port(9000)), at(1, unseen), at(2, port(9000))), []);
  });

  it('has one entry for an instance that stopped, not one for each port', () => {
    const down = only(instance('core'), port(9000, { up: false, status: 'instance_down' }));
    assert.deepEqual(entries(only(running('core'), port(9000)), down), ['stopped']);
  });

  it('has entries for the begin and the end of drops', () => {
    const dropping = (recent: number) => port(9000, { dropsTotal: 5, dropsRecent: recent });
    assert.deepEqual(entries(at(0, dropping(0)), at(1, dropping(5)), at(2, dropping(5)), at(3, dropping(0))), [
      'drops_began 9000 (1)',
      'drops_ended 9000 (1)',
    ]);
  });

  it('has an entry for an edited file', () => {
    const edited = running('core');
    edited.prediction = { ...edited.prediction, files: edited.prediction.files.map((f) => ({ ...f, mtime: takenAt })) };
    assert.deepEqual(entries(only(running('core')), only(edited)), ['edited (1)']);
  });

  it('has entries for instances that appear and are forgotten', () => {
    assert.deepEqual(entries(report(), only(running('core')), report()), ['appeared', 'forgotten']);
  });

  it('is bounded, with limits of their own for failures and successes', () => {
    let journal: Journal = emptyJournal;
    const scan = (i: number) => at(i, i % 2 === 0 ? port(9000) : missing(9000));
    for (let i = 1; i < 1000; i++) journal = nextJournal(journal, scan(i - 1), scan(i));
    assert.deepEqual([journal.failures.length, journal.successes.length], [maxFailures, maxSuccesses]);
    assert.ok(journal.failures[0]!.at < journal.successes[0]!.at);
  });
});
