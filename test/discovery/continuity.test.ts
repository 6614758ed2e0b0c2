import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Candidate } from '../../src/discovery/instances/candidate.js';
import { identityOf } from '../../src/discovery/instances/identity.js';
import { mergeCandidates } from '../../src/discovery/instances/instances.js';
import type { FilebeatProcess } from '../../src/model/model.js';
import { rememberedCandidates, rememberedProcesses } from '../../src/state/memory-questions.js';
import { historyOf } from '../../src/state/memory-state.js';
import { known, stateOf } from '../support/states.js';

const process: FilebeatProcess = {
  pid: 7,
  startTicks: 70,
  startTime: 100,
  comm: 'filebeat',
  uid: 0,
  executableDeleted: false,
  hostNetns: true,
};
const running = (rest: Partial<Candidate>): Candidate => ({
  origin: 'process',
  root: '/',
  network: 'host',
  mainFiles: ['/etc/filebeat/core.yml'],
  pathData: '/var/lib/core',
  config: 'core.yml',
  process,
  ...rest,
});
const merge = (state: ReturnType<typeof stateOf>, bootId: string, ...candidates: Candidate[]) =>
  mergeCandidates([...candidates, ...rememberedCandidates(state, bootId)]);

describe('the same process', () => {
  const moved = running({ mainFiles: ['/srv/new/core.yml'], pathData: '/srv/data' });

  it('is the same instance after its files have changed', () => {
    const all = merge(stateOf(known('core')), 'boot', moved);
    assert.deepEqual(
      all.map(({ name, rememberedAs }) => [name, rememberedAs]),
      [['core', ['id-core']]],
    );
  });

  it('is another instance in another boot or with another start time', () => {
    assert.equal(merge(stateOf(known('core')), 'later', moved).length, 2);
    const later = running({ ...moved, process: { ...process, startTicks: 71 } });
    assert.equal(merge(stateOf(known('core')), 'boot', later).length, 2);
    assert.equal(rememberedProcesses(stateOf(known('core')), 'later')(process), undefined);
    assert.equal(rememberedProcesses(stateOf(known('core')), 'boot')(process)?.name, 'core');
  });

  it('has priority over a history under its present identity', () => {
    const other = known('other', {
      id: identityOf(moved),
      start: { pid: 9, startTicks: 1, bootId: 'boot', startTime: 1 },
    });
    const state = stateOf(other, known('core'));
    const [one, ...more] = merge(state, 'boot', moved);
    assert.deepEqual(more, []);
    assert.equal(historyOf(state, one!)?.name, 'core');
  });
});

describe('a component of Elastic Agent', () => {
  const data = (release: string, component: string) =>
    `/opt/Elastic/Agent/data/elastic-agent-${release}/run/${component}`;
  const component = (release: string, name: string): Candidate =>
    running({ mainFiles: [], pathData: data(release, name), host: 'agentbeat', process: { ...process, pid: 8 } });
  const before = known('udp-default', {
    mainFiles: [],
    pathData: data('8.15.0-25075f', 'udp-default'),
    host: 'agentbeat',
  });

  it('is the same in the directory of the next release', () => {
    const all = merge(stateOf(before), 'boot', component('8.16.1-9fc4cf', 'udp-default'));
    assert.deepEqual(
      all.map(({ name }) => name),
      ['udp-default'],
    );
  });

  it('is neither another component nor another program', () => {
    assert.equal(merge(stateOf(before), 'boot', component('8.16.1-9fc4cf', 'tcp-default')).length, 2);
    const { host: _, ...plain } = component('8.16.1-9fc4cf', 'udp-default');
    assert.equal(merge(stateOf(before), 'boot', plain).length, 2);
  });
});
