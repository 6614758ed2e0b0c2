import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predict } from '../../src/filebeat/predict.js';
import { outcomesByRelease, predictDown, predictRunning } from '../../src/filebeat/unknown-release.js';
import { memoryFiles } from '../support/memory-files.js';

const command = { argv: ['filebeat', '-c', '/f.yml', '--path.home', '/h'], cwd: '/', env: {}, uid: 0 };
const running = { startTime: 1_700_000_100, executableDeleted: false };
const old =
  'filebeat.inputs:\n- {type: log, paths: [/var/log/x]}\n- type: udp\n  host: ":9000"\noutput.console.enabled: true\n';

describe('a running Filebeat of a release that nothing tells', () => {
  it('is judged by the newest release under which it could run', () => {
    const files = memoryFiles({ '/f.yml': old });
    assert.equal(predict(command, files).outcome, 'exits');
    const told = predictRunning(command, files, running);
    assert.deepEqual(
      [told.outcome, told.release, told.listeners.map((l) => l.port)],
      ['runs', { source: 'hint' }, [9000]],
    );
  });

  it('could run under none: then what the newest says stands', () => {
    const told = predictRunning(command, memoryFiles({ '/f.yml': 'filebeat.inputs: [' }), running);
    assert.deepEqual([told.outcome, told.release.source], ['exits', 'assumed']);
  });

  it('whose release is known is not guessed at', () => {
    const files = memoryFiles({ '/f.yml': old, '/h/README.md': '# Welcome to Filebeat 9.1.0\n' });
    assert.equal(predictRunning(command, files, running).outcome, 'exits');
  });
});

describe('a Filebeat of a release that nothing tells, which newer ones would run with less', () => {
  const included = {
    '/f.yml':
      'filebeat.config.inputs: {path: /d/*.yml, reload.enabled: true}\nfilebeat.inputs:\n- {type: udp, host: ":9000"}\noutput.console.enabled: true\n',
    '/d/a.yml': '- {type: log, paths: [/var/log/x]}\n',
  };

  it('runs: the release that takes all of it is applied, and what newer ones would refuse is in doubt', () => {
    const told = predictRunning(command, memoryFiles(included), running);
    assert.deepEqual([told.outcome, told.release.source, told.faults], ['runs', 'hint', []]);
    assert.match(told.doubts![0]!.subject!, /^Filebeat 8\.\d+\.\d+ would accept all of it, newer ones would refuse a part \(/);
    assert.deepEqual(told.doubts![0]!.costs, []);
  });

  it('does not run: the same, and its release stays unknown', () => {
    const told = predictDown(command, memoryFiles(included));
    assert.deepEqual([told.outcome, told.release.source, told.faults, told.doubts?.length], ['runs', 'assumed', [], 1]);
  });

  it('is not in doubt where every release would refuse it', () => {
    const files = memoryFiles({ ...included, '/d/a.yml': '- {type: nonsense, host: ":9001"}\n' });
    const told = predictDown(command, files);
    assert.deepEqual([told.faults.map(({ code }) => code), told.doubts], [['unknown-input'], undefined]);
  });

  it('would not start under newer ones: both outcomes are said, with the reason', () => {
    const told = predictDown(command, memoryFiles({ '/f.yml': old }));
    assert.equal(told.outcome, 'ambiguous');
    assert.match(
      told.reason!.subject!,
      /would start with its files, newer ones would refuse them \(This release refuses log/,
    );
  });
});

describe('what each known release makes of the files', () => {
  const groups = (text: string) =>
    outcomesByRelease((release) => predict(command, memoryFiles({ '/f.yml': text }), release)).map(
      ({ from, to, prediction }) => `${from} ${to} ${prediction.outcome}`,
    );

  it('is told in ranges of releases, the newest first', () => {
    const [newest, older] = groups(old);
    assert.match(newest!, /^9\.0\.\d+ 9\.\d+\.\d+ exits$/);
    assert.match(older!, / 8\.19\.\d+ runs$/);
  });
});
