import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predict } from '../../src/filebeat/predict.js';
import { outcomesByRelease, predictDown, predictRunning } from '../../src/filebeat/unknown-release.js';
import { memoryFiles } from '../support/memory-files.js';

const command = { argv: ['filebeat', '-c', '/f.yml', '--path.home', '/h'], cwd: '/', env: {}, uid: 0 };
const running = { startTime: 1_700_000_100, executableDeleted: false };
const old =
  'filebeat.inputs:\n- {type: log, paths: [/var/log/x]}\n- type: udp\n  host: ":9000"\noutput.console.enabled: true\n';

describe('a running Filebeat of unknown release', () => {
  it('is predicted with the newest release under which it could run', () => {
    const files = memoryFiles({ '/f.yml': old });
    assert.equal(predict(command, files).outcome, 'exits');
    const prediction = predictRunning(command, files, running);
    assert.deepEqual(
      [prediction.outcome, prediction.release, prediction.listeners.map((l) => l.port)],
      ['runs', { source: 'hint' }, [9000]],
    );
  });

  it('could run under no release: then the prediction for the newest counts', () => {
    const prediction = predictRunning(command, memoryFiles({ '/f.yml': 'filebeat.inputs: [' }), running);
    assert.deepEqual([prediction.outcome, prediction.release.source], ['exits', 'assumed']);
  });

  it('of known release is not guessed', () => {
    const files = memoryFiles({ '/f.yml': old, '/h/README.md': '# Welcome to Filebeat 9.1.0\n' });
    assert.equal(predictRunning(command, files, running).outcome, 'exits');
  });
});

describe('a Filebeat of unknown release, of which newer releases would refuse a part', () => {
  const included = {
    '/f.yml':
      'filebeat.config.inputs: {path: /d/*.yml, reload.enabled: true}\nfilebeat.inputs:\n- {type: udp, host: ":9000"}\noutput.console.enabled: true\n',
    '/d/a.yml': '- {type: log, paths: [/var/log/x]}\n',
  };

  it('runs: the release that accepts all of it is used, and the part that newer ones refuse is in doubt', () => {
    const prediction = predictRunning(command, memoryFiles(included), running);
    assert.deepEqual([prediction.outcome, prediction.release.source, prediction.faults], ['runs', 'hint', []]);
    assert.match(
      prediction.doubts![0]!.subject!,
      /^Filebeat 8\.\d+\.\d+ would accept all of it, newer ones would refuse a part \(/,
    );
    assert.deepEqual(prediction.doubts![0]!.costs, []);
  });

  it('does not run: the same, but the release stays unknown', () => {
    const prediction = predictDown(command, memoryFiles(included));
    assert.deepEqual(
      [prediction.outcome, prediction.release.source, prediction.faults, prediction.doubts?.length],
      ['runs', 'assumed', [], 1],
    );
  });

  it('is not in doubt if every release would refuse it', () => {
    const files = memoryFiles({ ...included, '/d/a.yml': '- {type: nonsense, host: ":9001"}\n' });
    const prediction = predictDown(command, files);
    assert.deepEqual([prediction.faults.map(({ code }) => code), prediction.doubts], [['unknown-input'], undefined]);
  });

  it('would not start under newer releases: both outcomes are reported, with the reason', () => {
    const prediction = predictDown(command, memoryFiles({ '/f.yml': old }));
    assert.equal(prediction.outcome, 'ambiguous');
    assert.match(
      prediction.reason!.subject!,
      /would start with its files, newer ones would refuse them \(This release refuses log/,
    );
  });
});

describe('the prediction for each known release', () => {
  const groups = (text: string) =>
    outcomesByRelease((release) => predict(command, memoryFiles({ '/f.yml': text }), release)).map(
      ({ from, to, prediction }) => `${from} ${to} ${prediction.outcome}`,
    );

  it('is given by ranges of releases, the newest first', () => {
    const [newest, older] = groups(old);
    assert.match(newest!, /^9\.0\.\d+ 9\.\d+\.\d+ exits$/);
    assert.match(older!, / 8\.19\.\d+ runs$/);
  });
});
