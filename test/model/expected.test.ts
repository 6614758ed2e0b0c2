import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Expectation,
  editedSinceStart,
  expectedOfDown,
  expectedOfRunning,
  sameListeners,
  startRecord,
} from '../../src/model/expected.js';
import type { ConfigFile, Listener, Prediction } from '../../src/model/model.js';
import { listener, now, prediction } from '../support/build.js';

const main = (mtime: number): ConfigFile => ({
  path: '/etc/filebeat/filebeat.yml',
  role: 'main',
  mtime,
  reloaded: false,
});
const included = (mtime: number): ConfigFile => ({
  path: '/etc/filebeat/inputs.d/a.yml',
  role: 'inputs',
  mtime,
  reloaded: true,
});
const reloaded = (host: string): Listener =>
  listener(host, { reload: { periodSeconds: 10 }, declaredIn: { file: '/etc/filebeat/inputs.d/a.yml', line: 1 } });
const record = (...listeners: Listener[]) => ({ pid: 1, startTicks: 100, listeners });
const recorded = (onDisk: Prediction, told: Expectation, settled: boolean) =>
  startRecord({ pid: 1, startTicks: 2 }, onDisk, told, { settled, before: undefined });
const ports = (listeners: readonly Listener[]) => listeners.map((l) => l.port);

describe('the expected listeners of a running Filebeat', () => {
  it('are those on disk if no file was edited after its start', () => {
    const told = expectedOfRunning(prediction([listener(':9000')], { files: [main(now - 10)] }), now, undefined);
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9000], 'disk', false]);
  });

  it('are those it started with after an edit of a port', () => {
    const told = expectedOfRunning(
      prediction([listener(':9001')], { files: [main(now + 10)] }),
      now,
      record(listener(':9000')),
    );
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9000], 'remembered', true]);
  });

  it('need no restart after an edit of comments or order', () => {
    const onDisk = [listener(':9001', { declaredIn: { file: 'x', line: 70 } }), listener(':9000')];
    const told = expectedOfRunning(
      prediction(onDisk, { files: [main(now + 10)] }),
      now,
      record(listener(':9000'), listener(':9001')),
    );
    assert.equal(told.pendingRestart, false);
  });

  describe('with an edit after which the next start would refuse an input without a port', () => {
    const fault = { code: 'unknown-module', subject: 'acme', at: { file: '/etc/filebeat/filebeat.yml', line: 3 } };
    const files = [main(now + 10)];
    const onDisk = prediction([listener(':9000')], { files, faults: [fault] });

    it('need a restart if the process started without that fault', () => {
      const told = expectedOfRunning(onDisk, now, record(listener(':9000')));
      assert.deepEqual([told.pendingRestart, told.refusals, told.nextRefusals], [true, undefined, [fault]]);
    });

    it('need no restart if the process started with the fault, on whatever line it is now', () => {
      const before = { ...fault, at: { ...fault.at, line: 70 } };
      const told = expectedOfRunning(onDisk, now, { ...record(listener(':9000')), refusals: [before] });
      assert.deepEqual([told.pendingRestart, told.refusals, told.nextRefusals], [false, [before], undefined]);
    });

    it('may lack the input already if the start was not seen', () => {
      const told = expectedOfRunning(onDisk, now, undefined);
      assert.deepEqual([told.pendingRestart, told.refusals, told.nextRefusals], [false, undefined, [fault]]);
    });
  });

  it('are those on disk, marked as edited, if its start was not seen', () => {
    const told = expectedOfRunning(prediction([listener(':9001')], { files: [main(now + 10)] }), now, undefined);
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9001], 'edited', false]);
  });

  it('are those on disk for files that Filebeat reloads', () => {
    const told = expectedOfRunning(
      prediction([reloaded(':9001')], { files: [main(now - 10), included(now + 10)] }),
      now,
      record(reloaded(':9000')),
    );
    assert.deepEqual([ports(told.expected), told.basis], [[9001], 'disk']);
  });

  it('include the ports of a reloaded file that is broken now, with the fault', () => {
    const fault = { code: 'yaml', at: { file: '/etc/filebeat/inputs.d/a.yml', line: 2 } };
    const told = expectedOfRunning(
      prediction([listener(':9005')], { files: [main(now - 10), included(now + 10)], faults: [fault] }),
      now,
      record(listener(':9005'), reloaded(':9000')),
    );
    assert.deepEqual(
      [ports(told.expected), told.brokenReloads],
      [[9005, 9000], [{ file: '/etc/filebeat/inputs.d/a.yml', fault }]],
    );
  });

  it('are the remembered ones while the main file cannot be loaded', () => {
    const broken = prediction([], { outcome: 'exits', reason: { code: 'yaml' }, files: [main(now + 10)] });
    const told = expectedOfRunning(broken, now, record(listener(':9000')));
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9000], 'remembered', false]);
  });
});

describe('the expected listeners of a Filebeat that was started with files it refuses', () => {
  const refused = prediction([], { outcome: 'exits', reason: { code: 'yaml' }, files: [main(now - 10)] });

  it('are the last known ones', () => {
    const told = expectedOfRunning(refused, now, undefined, [listener(':9000')]);
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9000], 'last-known', false]);
    assert.equal(recorded(refused, told, true), undefined);
  });

  it('are none if no earlier scan knew it', () => {
    assert.deepEqual(expectedOfRunning(refused, now, undefined, []).expected, []);
  });

  it('are those on disk if the files declare any', () => {
    const told = expectedOfRunning(prediction([listener(':9001')]), now, undefined, [listener(':9000')]);
    assert.deepEqual([ports(told.expected), told.basis], [[9001], 'disk']);
  });
});

describe('the expected listeners of a Filebeat that is down', () => {
  it('are those on disk', () => {
    assert.deepEqual(ports(expectedOfDown(prediction([listener(':9001')]), [listener(':9000')]).expected), [9001]);
  });

  it('include those of a reloaded file that is broken now', () => {
    const fault = { code: 'yaml', at: { file: '/etc/filebeat/inputs.d/a.yml', line: 2 } };
    const onDisk = prediction([listener(':9005')], { files: [main(now), included(now)], faults: [fault] });
    assert.deepEqual(ports(expectedOfDown(onDisk, [listener(':9004'), reloaded(':9000')]).expected), [9005, 9000]);
  });

  it('are the last known ones if the files give none', () => {
    assert.deepEqual(
      ports(expectedOfDown(prediction([], { outcome: 'unknown' }), [listener(':9000')]).expected),
      [9000],
    );
  });
});

describe('start records', () => {
  it('are not made from an edited file before the sockets confirm it', () => {
    const onDisk = prediction([listener(':9001')], { files: [main(now + 10)] });
    const edited = expectedOfRunning(onDisk, now, undefined);
    assert.equal(recorded(onDisk, edited, false), undefined);
    assert.equal(recorded(onDisk, edited, true)?.listeners.length, 1);
  });

  it('are made from the files on disk', () => {
    const onDisk = prediction([listener(':9001')], { files: [main(now - 1), included(now - 2)] });
    const told = expectedOfRunning(onDisk, now, undefined);
    assert.deepEqual(recorded(onDisk, told, false), {
      pid: 1,
      startTicks: 2,
      listeners: told.expected,
      files: { '/etc/filebeat/filebeat.yml': now - 1 },
    });
  });

  it('are not made from files that Filebeat would refuse, nor from learned listeners', () => {
    const refused = prediction([], { outcome: 'exits', reason: { code: 'missing' } });
    assert.equal(recorded(refused, expectedOfRunning(refused, now, undefined), true), undefined);
    const dynamic = prediction([listener(':9000')], { outcome: 'dynamic' });
    const told = expectedOfRunning(dynamic, now, undefined);
    const both = { ...told, expected: [...told.expected, listener(':9001', { input: 'learned' })] };
    assert.deepEqual(ports(recorded(dynamic, both, true)?.listeners ?? []), [9000]);
  });

  it('show a file that was replaced by one with an older time stamp', () => {
    const started = { ...record(listener(':9000')), files: { '/etc/filebeat/filebeat.yml': now - 10 } };
    const replaced = prediction([listener(':9001')], { files: [main(now - 500)] });
    const told = expectedOfRunning(replaced, now, started);
    assert.deepEqual([ports(told.expected), told.basis, told.pendingRestart], [[9000], 'remembered', true]);
    assert.equal(expectedOfRunning(replaced, now, undefined).basis, 'disk');
  });

  it('keep the time stamps of the start', () => {
    const started = { ...record(listener(':9000')), files: { '/etc/filebeat/filebeat.yml': now - 10 } };
    const edited = prediction([listener(':9001')], { files: [main(now + 10)] });
    const told = expectedOfRunning(edited, now, started);
    assert.deepEqual(startRecord({ pid: 1, startTicks: 2 }, edited, told, { settled: false, before: started })?.files, {
      '/etc/filebeat/filebeat.yml': now - 10,
    });
  });
});

describe('drift', () => {
  it('is another port, another input or another read_buffer, not another line', () => {
    const base = [listener(':9000')];
    assert.ok(sameListeners(base, [listener(':9000', { declaredIn: { file: 'other', line: 9 } })]));
    assert.ok(!sameListeners(base, [listener(':9001')]));
    assert.ok(!sameListeners(base, [listener(':9000', { input: 'syslog' })]));
    assert.ok(!sameListeners(base, [listener(':9000', { readBuffer: 4096 })]));
  });

  it('concerns only files that are read at the start', () => {
    assert.equal(editedSinceStart(prediction([], { files: [included(now + 5)] }), now), false);
    assert.equal(editedSinceStart(prediction([], { files: [main(now + 5)] }), now), true);
    assert.equal(editedSinceStart(prediction([], { files: [main(now + 0.02)] }), now), false);
    assert.equal(editedSinceStart(prediction([], { files: [main(now + 0.2)] }), now), true);
  });
});
