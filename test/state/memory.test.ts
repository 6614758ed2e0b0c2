import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../src/discovery/instances/candidate.js';
import { identityOf } from '../../src/discovery/instances/identity.js';
import type { Merged } from '../../src/discovery/instances/instances.js';
import { mergeCandidates } from '../../src/discovery/instances/instances.js';
import type { FilebeatProcess, Listener } from '../../src/model/model.js';
import { learn } from '../../src/state/learned.js';
import { advance, ledgerKey } from '../../src/state/ledger.js';
import { forget, mergeForeign } from '../../src/state/memory-forget.js';
import { followNames, observe } from '../../src/state/memory-observe.js';
import { flappingOf, isExpired, rememberedCandidates, rememberedPrediction } from '../../src/state/memory-questions.js';
import { emptyState, historyOf, type State } from '../../src/state/memory-state.js';
import { encodeState, loadState } from '../../src/state/memory-text.js';
import { known, stateOf, udp } from '../support/states.js';

const process = (pid: number): FilebeatProcess => ({
  pid,
  startTicks: pid * 10,
  startTime: pid,
  comm: 'filebeat',
  uid: 0,
  executableDeleted: false,
  netns: 1,
  hostNetns: true,
});
const candidate = (rest: Partial<Candidate> = {}): Candidate => ({
  origin: 'process',
  root: '/',
  network: 'host',
  mainFiles: ['/etc/filebeat/core.yml'],
  pathData: '/var/lib/core',
  config: 'core.yml',
  ...rest,
});
const running = (pid: number, rest: Partial<Candidate> = {}) => candidate({ ...rest, process: process(pid) });

/** One scan: present and remembered candidates, merged and observed. */
function scan(state: State, now: number, candidates: Candidate[], expected: Listener[] = [udp(9000)], bootId = 'boot') {
  const merged = mergeCandidates([...candidates, ...rememberedCandidates(state)]).filter(
    (instance) => !isExpired(state, instance, now, 3600),
  );
  const sighting = (instance: Merged<Candidate>) => ({
    instance,
    expected,
    start: { listeners: expected },
    dynamic: false,
  });
  return { merged, state: observe(state, merged.map(sighting), now, bootId) };
}
const only = (state: State) => {
  const all = Object.values(state.instances);
  assert.equal(all.length, 1);
  return all[0]!;
};

describe('the memory after a scan', () => {
  it('has an instance that ran, with its expected listeners', () => {
    const { state } = scan(emptyState, 1000, [running(7)]);
    const one = only(state);
    assert.equal(one.id, identityOf(running(7)));
    assert.deepEqual(
      [one.name, one.config, one.firstSeen, one.lastSeen, one.restarts],
      ['core', 'core.yml', 1000, 1000, 0],
    );
    assert.deepEqual(one.start, { pid: 7, startTicks: 70, startTime: 7, bootId: 'boot', listeners: [udp(9000)] });
  });

  it('has nothing of a unit that never ran', () => {
    const unit = candidate({ origin: 'systemd', unit: 'filebeat@core.service', shouldRun: true });
    assert.deepEqual(scan(emptyState, 1000, [unit]).state.instances, {});
  });

  it('keeps an instance that is gone, with its name, its listeners and when it was last seen', () => {
    const before = scan(emptyState, 1000, [running(7)]).state;
    const { merged, state } = scan(before, 1010, []);
    assert.deepEqual([merged[0]!.name, merged[0]!.origins], ['core', ['remembered']]);
    assert.equal(historyOf(before, merged[0]!)!.lastSeen, 1000);
    assert.equal(only(state).lastSeen, 1000);
    assert.deepEqual(rememberedPrediction(only(state)).listeners, [udp(9000)]);
  });

  it('counts a replaced process as a restart, the same one not, also over a restart of the exporter', () => {
    let state = scan(emptyState, 1000, [running(7)]).state;
    state = scan(state, 1001, [running(7)]).state;
    assert.equal(only(state).restarts, 0);
    state = scan(state, 1002, []).state;
    const read = loadState(encodeState(state));
    assert.ok(read.kind === 'state');
    state = scan(read.state, 1003, [running(9)]).state;
    assert.deepEqual([only(state).restarts, only(state).restartTimes], [1, [9]]);
  });

  it('keeps a field of a row that a later release added', () => {
    const [id, row] = Object.entries(scan(emptyState, 1000, [running(7)]).state.instances)[0]!;
    const read = loadState(JSON.stringify({ ...emptyState, instances: { [id]: { ...row, mood: { good: true } } } }));
    assert.ok(read.kind === 'state');
    const after = only(scan(read.state, 1001, [running(8)]).state);
    assert.deepEqual((after as unknown as { mood: unknown }).mood, { good: true });
  });

  it('the same pid after a reboot is another process', () => {
    const state = scan(emptyState, 1000, [running(7)]).state;
    assert.equal(only(scan(state, 2000, [running(7)], [udp(9000)], 'boot-2').state).restarts, 1);
  });

  it('a second process of the instance is not remembered', () => {
    assert.deepEqual(only(scan(emptyState, 1000, [running(7), running(9)]).state).start.pid, 7);
  });

  it('drops an instance that is only remembered after a time, not one that a unit expects', () => {
    const before = scan(emptyState, 1000, [running(7, { unit: 'filebeat@core.service' })]).state;
    assert.deepEqual(scan(before, 1000 + 3599, []).merged.length, 1);
    const late = scan(before, 1000 + 3600, []);
    assert.deepEqual([late.merged, late.state.instances], [[], {}]);
    const unit = candidate({ origin: 'systemd', unit: 'filebeat@core.service', shouldRun: true });
    assert.equal(only(scan(before, 1e9, [unit]).state).firstSeen, 1000);
    assert.equal(
      isExpired(before, { rememberedAs: Object.keys(before.instances), origins: ['remembered'] }, 1e9, 0),
      false,
    );
  });

  it('keeps the identity of a run for an instance that is down and only found by a pattern', () => {
    const before = scan(emptyState, 1000, [running(7, { network: 'netns 5' })]).state;
    const { pathData: _, ...glob } = candidate({ origin: 'config_glob' });
    const down = scan(before, 1010, [glob]);
    assert.deepEqual(only(down.state).id, only(before).id);
    assert.deepEqual(down.merged[0]!.origins, ['config_glob', 'remembered']);
    assert.deepEqual([only(down.state).pathData, only(down.state).network], ['/var/lib/core', 'netns 5']);
    assert.equal(only(scan(down.state, 1020, [glob, running(9, { network: 'netns 5' })]).state).restarts, 1);
  });

  it('moves the ledger and the learned listeners to a new name', () => {
    const before = scan(emptyState, 1000, [running(7)]).state;
    const rules = { learnAfter: 1, remember: 0 };
    const socket = { protocol: 'udp' as const, family: 6 as const, address: '::', port: 9000, netns: 1, inode: 5 };
    const full: State = {
      ...before,
      ledger: {
        [ledgerKey('core', 'udp', '*', 9000)]: advance(undefined, [{ netns: 1, inode: 5, drops: 3 }], {
          now: 0,
          bootId: 'boot',
        })!,
      },
      learned: learn(learn({}, 'core', { sockets: [socket] }, 0, rules), 'core', { sockets: [socket] }, 1, rules),
    };
    const now = [running(7), candidate({ origin: 'declared', declaredName: 'switches' })];
    const followed = followNames(full, mergeCandidates([...now, ...rememberedCandidates(full)]));
    assert.equal(followNames(followed, mergeCandidates([...now, ...rememberedCandidates(followed)])), followed);
    const { state } = scan(full, 1010, now);
    assert.deepEqual([followed.ledger, followed.learned], [state.ledger, state.learned]);
    assert.deepEqual(Object.keys(state.ledger), [ledgerKey('switches', 'udp', '*', 9000)]);
    assert.deepEqual(Object.keys(state.learned), ['switches']);
    const gone = scan(state, 1e9, []);
    assert.deepEqual([gone.state.ledger, gone.state.learned], [{}, {}]);
  });

  it('does not give the counts of a user’s newcomer to another instance that gets its name', () => {
    const EVE = 4242;
    const ripening = { after: 1e6, remember: 0 };
    const his = candidate({ process: { ...process(9), uid: EVE }, owner: EVE, account: EVE });
    const pass = (state: State, now: number, all: readonly Candidate[]) => {
      const merged = mergeCandidates([...all, ...rememberedCandidates(state)]);
      const followed = followNames(state, merged);
      const sightings = merged.map((instance) => ({ instance, expected: [udp(9000)], dynamic: false }));
      return { followed, state: observe(followed, sightings, now, 'boot', { ripening }), merged };
    };
    const first = pass(emptyState, 1000, [his]);
    assert.deepEqual([first.merged[0]!.name, Object.keys(first.state.instances)], ['core', []]);
    const counted = advance(undefined, [{ netns: 1, inode: 5, drops: 3 }], { now: 0, bootId: 'boot' })!;
    const full = { ...first.state, ledger: { [ledgerKey('core', 'udp', '*', 9000)]: counted } };
    // Root's instance starts while the user's runs: the counts follow the user's instance.
    const beside = pass(full, 1010, [his, running(7)]);
    assert.deepEqual(Object.keys(beside.followed.ledger), [ledgerKey('core-uid4242', 'udp', '*', 9000)]);
    // The user's instance has ended by then: its counts are dropped.
    const after = pass(full, 1010, [running(7)]);
    assert.deepEqual(after.followed.ledger, {});
    // While it runs, they stay.
    assert.equal(pass(full, 1010, [his]).followed, full);
    const mine = { ...after.state, ledger: { [ledgerKey('core', 'udp', '*', 9000)]: counted } };
    assert.deepEqual(pass(mine, 1020, [running(7)]).followed.ledger, mine.ledger, 'root’s own is kept');
  });

  it('leaves out notes and other additions to listeners and candidates', () => {
    const loud = { ...udp(9000), notes: ['hunter2'], password: 'hunter2' } as Listener;
    const secret = { ...running(7), command: { argv: ['filebeat', '-E', 'hunter2'], env: { A: 'hunter2' } } };
    const { state } = scan(emptyState, 1000, [secret], [loud]);
    assert.ok(!encodeState(state).includes('hunter2'));
  });
});

describe('flapping', () => {
  const threshold = { count: 3, withinSeconds: 600 };
  it('counts the restarts within the window', () => {
    const one = { restartTimes: [100, 500, 900, 1000] };
    assert.deepEqual(flappingOf(one, 1050, threshold), { count: 3, withinSeconds: 600 });
    assert.equal(flappingOf(one, 1101, threshold), undefined);
    assert.equal(flappingOf(undefined, 0, threshold), undefined);
  });
});

describe('forgetting', () => {
  const learned = {
    core: {
      'udp/*:9000': {
        protocol: 'udp' as const,
        address: '*',
        port: 9000,
        since: 0,
        lastSeen: 9,
        socket: '1/5',
        learned: true,
      },
    },
  };
  const state: State = { ...stateOf(known('core'), known('edge')), learned };

  it('drops a remembered instance with all its rows', () => {
    const { state: after, forgot } = forget(state, 'core', { keepInstance: false });
    assert.equal(forgot, true);
    assert.deepEqual([Object.keys(after.instances), after.learned], [['id-edge'], {}]);
  });

  it('drops only the learned listeners of a running instance', () => {
    const { state: after } = forget(state, 'core', { keepInstance: true });
    assert.deepEqual([Object.keys(after.instances), after.learned], [['id-core', 'id-edge'], {}]);
  });

  it('reports that there was nothing to forget', () => {
    assert.deepEqual(forget(state, 'nobody', { keepInstance: false }), { state, forgot: false });
    assert.equal(forget(state, 'core', { keepInstance: true, port: { protocol: 'udp', port: 1 } }).forgot, false);
    assert.equal(forget(state, 'core', { keepInstance: true, port: { protocol: 'udp', port: 9000 } }).forgot, true);
  });

  it('by another process: removed rows go, new rows of both sides stay, otherwise our version wins', () => {
    const written = state;
    const ours: State = { ...stateOf(known('core'), known('edge', { restarts: 5 }), known('new')), learned };
    const theirs = { ...forget(written, 'core', { keepInstance: false }).state };
    const merged = mergeForeign(ours, written, { ...theirs, instances: { ...theirs.instances, 'id-x': known('x') } });
    assert.deepEqual(Object.keys(merged.instances).sort(), ['id-edge', 'id-new', 'id-x']);
    assert.equal(merged.instances['id-edge']!.restarts, 5);
    assert.deepEqual(merged.learned, {});
  });
});

describe('the text of the state file', () => {
  it('is read as it was written', () => {
    const state: State = {
      ...stateOf(known('core', { dynamic: true, unit: 'u.service', release: '8.19.21' })),
      ledger: {
        [ledgerKey('core', 'udp', '*', undefined)]: advance(undefined, [{ netns: 1, inode: 5, drops: 3 }], {
          now: 0,
          bootId: 'b',
        })!,
      },
      learned: {
        core: {
          'udp/*:9000': {
            protocol: 'udp',
            address: '*',
            port: 9000,
            since: 0,
            lastSeen: 9,
            socket: '1/5',
            learned: true,
          },
        },
      },
    };
    assert.deepEqual(loadState(encodeState(state)), { kind: 'state', state, badRows: 0 });
  });

  it('a text that is not a state is corrupt, a higher version is newer', () => {
    for (const text of ['', '{', 'null', '[]', '7', '"x"', '{}', '{"version":"1"}', '\0\0\0']) {
      assert.deepEqual(loadState(text), { kind: 'corrupt' }, text);
    }
    assert.deepEqual(loadState('{"version":3,"instances":5}'), { kind: 'newer', version: 3 });
  });

  it('good rows are kept beside bad ones', () => {
    const good = JSON.parse(encodeState(stateOf(known('core'), known('edge')))) as {
      instances: Record<string, Record<string, unknown>>;
    };
    const bad: Record<string, unknown>[] = [
      { name: '' },
      { id: 'other' },
      { mainFiles: 'x' },
      { origins: ['nonsense'] },
      { start: null },
      { lastSeen: '1' },
      { expected: [{ protocol: 'sctp' }] },
      { expected: [{ ...udp(1), target: null }] },
    ];
    for (const change of bad) {
      const text = JSON.stringify({
        ...good,
        instances: { ...good.instances, 'id-edge': { ...good.instances['id-edge'], ...change } },
      });
      const read = loadState(text);
      assert.ok(read.kind === 'state');
      assert.deepEqual([Object.keys(read.state.instances), read.badRows], [['id-core'], 1], JSON.stringify(change));
    }
  });

  it('a damaged text is corrupt, or leaves well-formed rows', () => {
    const text = encodeState(stateOf(known('core'), known('edge')));
    for (let at = 0; at < text.length; at += 7) {
      for (const damaged of [
        text.slice(0, at),
        `${text.slice(0, at)}\u0000${text.slice(at + 1)}`,
        `${text.slice(0, at)}9${text.slice(at)}`,
      ]) {
        const read = loadState(damaged);
        if (read.kind !== 'state') continue;
        for (const one of Object.values(read.state.instances)) {
          assert.equal(typeof one.name, 'string');
          for (const listener of [...one.expected, ...(one.start.listeners ?? [])])
            assert.equal(typeof listener.target.kind, 'string');
        }
      }
    }
  });
});
