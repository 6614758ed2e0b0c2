/** Budgets: a prediction that costs too much work is unknown, with a gap; others are not affected. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Budget, predictInstance } from '../../src/discovery/instances/predict-instance.js';
import { frozenView } from '../../src/filebeat/files/frozen-view.js';
import { createWork, withWork } from '../../src/filebeat/files/work.js';
import { predict } from '../../src/filebeat/predict.js';
import { knownReleases } from '../../src/filebeat/releases/releases.js';
import { predictRunning } from '../../src/filebeat/unknown-release.js';
import { limits } from '../../src/model/limits.js';
import { createFileCache } from '../../src/proc/files/file-cache.js';
import { memoryFiles } from '../support/filebeat.js';
import { writeTree } from '../support/tree.js';

const argv = ['/etc/fb/filebeat', '-c', '/etc/fb/filebeat.yml'];
const command = { argv, cwd: '/', env: {}, uid: 0 };
const running = { startTime: 1, executableDeleted: false };
const HOSTS = { '/etc/hosts': '127.0.0.1 localhost\n', '/etc/services': 'syslog 514/udp\n' };
const filesOf = (main: string, more: Record<string, string> = {}) =>
  memoryFiles({ ...HOSTS, '/etc/fb/filebeat.yml': main, ...more });
const plain = 'filebeat.inputs: [{type: udp, host: "127.0.0.1:9000"}]\noutput.console: {enabled: true}\n';
const cost = (main: string, more: Record<string, string> = {}) => {
  const work = createWork(Number.MAX_SAFE_INTEGER);
  const prediction = predictRunning(command, frozenView(withWork(filesOf(main, more), work)), running);
  return { work, prediction };
};

describe('the work of a prediction', () => {
  it('is small for ordinary configurations, and the same in every run', () => {
    const [one, two] = [cost(plain), cost(plain)];
    assert.equal(one.work.spent(), two.work.spent());
    assert.ok(one.work.spent() < limits.predictionWork / 1000, String(one.work.spent()));
    assert.equal(one.prediction.listeners.length, 1);
  });

  it('a document is parsed once for all releases, and only releases with different rules are tried', () => {
    const bad = `filebeat.inputs: [{type: udp, host: "127.0.0.1:9000"}]\noutput.console: {enabled: true}\nprocessors:\n${'- drop_event: {when: {nonsense: {a: 1}}}\n'.repeat(400)}`;
    const { work, prediction } = cost(bad);
    assert.equal(prediction.outcome, 'exits');
    const single = createWork(Number.MAX_SAFE_INTEGER);
    predict(command, withWork(filesOf(bad), single));
    assert.ok(work.spent() < (single.spent() * knownReleases.length) / 3, `${work.spent()} of ${single.spent()} each`);
  });

  it('finds the same release as a search through all releases', () => {
    const old = 'filebeat.prospectors: [{type: udp, host: "127.0.0.1:9000"}]\noutput.console: {enabled: true}\n';
    const { prediction } = cost(old);
    assert.equal(prediction.outcome, 'runs');
    assert.equal(prediction.release.source, 'hint');
    const all = knownReleases.find(
      (release) => predict(command, filesOf(old), { running, release }).outcome !== 'exits',
    );
    const same = predict(command, filesOf(old), { running, release: all! });
    assert.deepEqual(prediction.listeners, same.listeners);
  });

  const dear = `${plain}x:\n${'- {a: [1,2,3,4,5,6,7,8], b: {c: d}}\n'.repeat(20_000)}`;
  const budgetOf = (each: number, left = each): Budget & { used: number } => ({
    used: 0,
    each,
    left: () => left,
    use(units) {
      this.used += units;
    },
  });

  it('beyond the limit the prediction is unknown, with a gap, until the files change', () => {
    const root = writeTree({ 'etc/fb/filebeat.yml': dear, 'etc/hosts': HOSTS['/etc/hosts'], 'etc/services': '' });
    const kept = createFileCache();
    const budget = budgetOf(100_000);
    const predicted = predictInstance(kept, 'k', command, root, { running, budget });
    assert.equal(predicted.prediction.outcome, 'unknown');
    assert.deepEqual(
      predicted.prediction.gaps.map(({ reason, subject }) => [reason, subject]),
      [['limit', '/etc/fb/filebeat.yml']],
    );
    assert.ok(budget.used <= 100_000);
    const roomy = predictInstance(kept, 'other', command, root, { running, budget: budgetOf(limits.predictionWork) });
    assert.equal(roomy.prediction.outcome, 'runs');
  });

  it('an instance for which its owner has no budget left is predicted in a later pass', () => {
    const root = writeTree({ 'etc/fb/filebeat.yml': plain, 'etc/hosts': HOSTS['/etc/hosts'], 'etc/services': '' });
    const kept = createFileCache();
    const none = predictInstance(kept, 'k', command, root, { running, budget: budgetOf(100_000, 10) });
    assert.equal(none.prediction.outcome, 'unknown');
    assert.equal(none.prediction.gaps[0]?.reason, 'limit');
    const later = predictInstance(kept, 'k', command, root, { running, budget: budgetOf(100_000) });
    assert.equal(later.prediction.outcome, 'runs');
  });

  it('names in directories count, however the pattern is written', () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`/etc/fb/d${at % 30}/${'x'.repeat(1 + (at % 9))}${at}.yml`, '[]\n']),
    );
    const globbed = `filebeat.config.inputs: {path: "/etc/fb/*/*.yml"}\noutput.console: {enabled: true}\n`;
    assert.ok(cost(globbed, many).work.spent() > cost(globbed).work.spent() + 300 * 20);
  });
});
