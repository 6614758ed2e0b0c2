import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictRunning } from '../src/discovery/instances/foretell.js';
import { predict } from '../src/filebeat/predict.js';
import { memoryFiles } from './support/memory-files.js';

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
