/** The size limit of the state file: what is written can be read again, and which rows are left out beyond the limit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '../../src/model/model.js';
import { boundState } from '../../src/state/memory-bounds.js';
import { emptyState, type RememberedInstance, type State } from '../../src/state/memory-state.js';
import { encodeState, loadState } from '../../src/state/memory-text.js';
import { nextProbation } from '../../src/state/probation.js';

function row(name: string, listeners: number, rest: Partial<RememberedInstance> = {}): RememberedInstance {
  const file = `/home/${'x'.repeat(3900)}/${name}.yml`;
  const one = (port: number): Listener => ({
    protocol: 'udp',
    address: '*',
    port,
    target: { kind: 'socket', family: 6, address: '::', port, serves: 'any' },
    input: 'udp',
    declaredIn: { file, line: port },
    retry: 'never',
  });
  return {
    id: name,
    name,
    config: file,
    root: '/',
    network: 'host',
    mainFiles: [file],
    origins: ['process'],
    expected: Array.from({ length: listeners }, (_, at) => one(at + 1)),
    start: { pid: 1, startTicks: 1, bootId: 'b', startTime: 1 },
    firstSeen: 1,
    lastSeen: 1,
    restarts: 0,
    restartTimes: [],
    ...rest,
  };
}
const stateOf = (...rows: RememberedInstance[]): State => ({
  ...emptyState,
  instances: Object.fromEntries(rows.map((one) => [one.id, one])),
});

describe('the written state', () => {
  it('a user with long paths and many listeners displaces no row of the system', () => {
    const flood = Array.from({ length: 12 }, (_, at) => row(`eve${at}`, 200, { account: 4242, lastSeen: 100 + at }));
    const state = stateOf(row('core', 2), ...flood);
    const most = 4 * 1024 * 1024;
    const bounded = boundState(state, most);
    const text = encodeState(bounded);
    assert.ok(Buffer.byteLength(text) < most);
    const kept = Object.keys(bounded.instances);
    assert.ok(kept.includes('core') && kept.includes('eve11') && !kept.includes('eve0'), kept.join(' '));
    const read = loadState(text);
    assert.ok(read.kind === 'state' && read.badRows === 0);
  });

  it('a small state is the same object', () => {
    const state = stateOf(row('core', 2));
    assert.equal(boundState(state, 64 * 1024 * 1024), state);
  });

  it('the ages of an ordinary user’s processes add up over their restarts, and his share is a quarter', () => {
    const seen = (id: string, pid: number, startTime: number) => ({
      instance: {
        id,
        account: 4242,
        process: { pid, startTicks: pid, startTime, comm: 'filebeat', uid: 4242, executableDeleted: false },
      },
    });
    const rules = { after: 600, remember: 0 };
    const one = nextProbation({}, [seen('a', 1, 1000)], 1300, rules);
    const two = nextProbation(one, [seen('a', 2, 1400)], 1700, rules);
    assert.deepEqual([two['a']!.before, two['a']!.age], [300, 300]);
    const many = Array.from({ length: 400 }, (_, at) => seen(`id${at}`, at + 1, at));
    assert.equal(Object.keys(nextProbation({}, many, 1000, rules)).length, 128);
  });
});
