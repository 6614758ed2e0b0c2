/** Causes of `instance_down` and of mismatches between instances. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instance, Mismatch, Socket } from '../../src/model/model.js';
import { words } from '../../src/words/words.js';
import { instance, judge, line, listener, prediction, snapshot, socket } from '../support/build.js';

const stats = listener('127.0.0.1:5066', { protocol: 'tcp', input: 'http' });

function down(rest: Partial<Instance>, others: Instance[] = [], sockets: Socket[] = []): Mismatch {
  const one = instance('core', undefined, [stats], { dataKey: '/|/data', ...rest });
  const { mismatches } = judge(snapshot([one, ...others], sockets));
  return mismatches.find(({ code, name }) => code === 'instance_down' && name === 'core')!;
}

const of = (version: string) => ({ prediction: prediction([stats], { release: { version, source: 'readme' } }) });

describe('an instance that does not run', () => {
  it('cannot start while another process has its stats endpoint, in a release that needs it', () => {
    const taken = [socket('127.0.0.1:5066', 999, { protocol: 'tcp' })];
    const reported = down({}, [], taken);
    assert.equal(line(reported), 'instance_down core endpoint-held');
    assert.match(words(reported).cause, /held by pid 999 .*does not start without it/);
    assert.equal(line(down(of('6.8.23'), [], taken)), 'instance_down core not-running');
  });

  it('cannot start while another instance runs on its path.data, in a release that locks it', () => {
    const other = instance('edge', 4711, [], { dataKey: '/|/data' });
    assert.equal(line(down({}, [other])), 'instance_down core data-locked');
    assert.equal(line(down(of('7.5.0'), [other])), 'instance_down core not-running');
  });

  it('is not called locked because of a process of an ordinary user', () => {
    const other = instance('edge', 4711, [], { dataKey: '/|/data', account: 1000 });
    assert.equal(line(down({}, [other])), 'instance_down core not-running');
  });

  it('has no remedy that restarts a unit which is only its control group', () => {
    assert.equal(words(down({ unit: 'filebeat.service' })).remedy, 'systemctl start filebeat.service');
    assert.doesNotMatch(words(down({ unit: 'cron.service', unitIsOnlyCgroup: true })).remedy, /systemctl/);
  });
});

describe('an input that only some of the possible releases accept', () => {
  const port = listener('127.0.0.1:9000');
  const doubt = (costs?: (typeof port)[]) => ({
    doubts: [{ code: 'release-decides', subject: 'some would', ...(costs === undefined ? {} : { costs }) }],
  });
  const judged = (pid: number | undefined, costs: (typeof port)[] | undefined, sockets: Socket[]) =>
    judge(snapshot([instance('core', pid, [port], { prediction: prediction([port], doubt(costs)) })], sockets))
      .mismatches;
  const bound = [socket('127.0.0.1:9000', 4711)];

  it('is not reported if its port is served', () => {
    assert.deepEqual(judged(4711, [port], bound), []);
  });
  it('is evidence at a missing port', () => {
    const [only, ...rest] = judged(4711, [port], []);
    assert.deepEqual([only!.code, rest], ['port_missing', []]);
    assert.match(words(only!).evidence.join(), /release is unknown: some would/);
  });
  it('is config_unresolved if it has no port or the instance is down', () => {
    assert.deepEqual(judged(4711, undefined, bound).map(line), ['config_unresolved core config']);
    assert.deepEqual(
      judged(undefined, [port], []).map(({ code }) => code),
      ['instance_down', 'config_unresolved'],
    );
  });
});

describe('the same configuration in another network namespace', () => {
  const kinds = (ours: number | undefined, theirs: number | undefined) => {
    const { process: _, netns: __, ...down } = instance('down', 1, [], { dataKey: '/|/data', expected: [] });
    const up = instance('up', 2, [], { dataKey: '/|/data', config: down.config, expected: [] });
    const { netns: ___, ...process } = up.process!;
    const shot = snapshot(
      [
        { ...down, ...(ours === undefined ? {} : { netns: ours }) },
        { ...up, process: { ...process, ...(theirs === undefined ? {} : { netns: theirs }) } },
      ],
      [],
    );
    const reported = judge(shot).mismatches.find(({ code }) => code === 'instance_down');
    return [reported!.cause, ...(reported!.evidence ?? [])].map(({ kind }) => kind);
  };

  it('is a cause only if both namespaces are known and differ', () => {
    assert.ok(kinds(1, 2).includes('runs-elsewhere'));
    for (const [ours, theirs] of [
      [1, 1],
      [1, undefined],
      [undefined, 1],
    ] as const)
      assert.ok(!kinds(ours, theirs).includes('runs-elsewhere'), `${ours} ${theirs}`);
  });
});

describe('two Filebeats on one path.data', () => {
  it('are a warning if neither release has a lock', () => {
    const pair = (version: string) =>
      ['a', 'b'].map((name, at) => instance(name, 100 + at, [], { dataKey: '/|/data', ...of(version), expected: [] }));
    const reported = (version: string) =>
      judge(snapshot(pair(version), [])).mismatches.find(({ code }) => code === 'data_path_conflict');
    assert.equal(reported('7.5.2')?.severity, 'warning');
    assert.equal(reported('7.6.0')?.severity, undefined);
  });
});

describe('users on one path.data', () => {
  const one = (
    name: string,
    pid: number,
    account: number | undefined,
    dataDirectory: { id: string; owner: number },
  ) => {
    const made = instance(name, pid, [], { dataKey: `/|/${name}`, dataDirectory, expected: [] });
    return account === undefined ? made : { ...made, account };
  };
  const reported = (...all: ReturnType<typeof one>[]) =>
    judge(snapshot(all, []))
      .mismatches.filter(({ code }) => code === 'data_path_conflict')
      .map(({ name, severity, cause }) => `${name} ${severity} ${cause.kind === 'shared-data-path' && cause.instance}`);

  it('have the mismatch at the one that does not own the directory, even if it started first', () => {
    const of = { id: '8:5', owner: 1001 };
    assert.deepEqual(reported(one('a', 100, 1000, of), one('b', 200, 1001, of)), ['a warning b']);
    assert.deepEqual(reported(one('a', 200, 1000, of), one('b', 100, 1001, of)), ['a warning b']);
  });

  it('have the mismatch at the younger one if neither owns the directory', () => {
    const of = { id: '8:5', owner: 0 };
    assert.deepEqual(reported(one('a', 100, 1000, of), one('b', 200, 1001, of)), ['b warning a']);
  });

  it('have the mismatch only at the user’s instance if the system has one there too', () => {
    const of = { id: '8:5', owner: 1000 };
    assert.deepEqual(reported(one('a', 100, 1000, of), one('core', 200, undefined, of)), ['a warning core']);
  });

  it('have no mismatch if the directories differ', () => {
    assert.deepEqual(
      reported(one('a', 1, 1000, { id: '8:5', owner: 0 }), one('b', 2, 1001, { id: '8:6', owner: 0 })),
      [],
    );
  });
});
