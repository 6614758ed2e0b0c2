/** An internal error in one instance is a gap of that instance; the others are judged normally. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory } from '../../src/correlate/scan-history.js';
import type { Report } from '../../src/model/model.js';
import { createFileCache, type FileCache } from '../../src/proc/files/file-cache.js';
import { createReporter } from '../../src/report/reporter.js';
import { systemClock } from '../../src/runtime/clock.js';
import { defectText } from '../../src/runtime/defect.js';
import { createSnapshotTaker } from '../../src/scan/take-snapshot.js';
import { defaultSettings } from '../../src/settings/settings.js';
import { openMemory } from '../../src/state/memory.js';
import { quietPort } from '../support/live.js';
import { createWorld } from '../support/world.js';

const secret = 'S3cretCanary';
const world = createWorld('defect-');
const folder = mkdtempSync(join(tmpdir(), 'defect-'));
after(async () => {
  await world.end();
  rmSync(folder, { recursive: true, force: true });
});
const thresholds = { receiveQueueRatio: 0.8, grace: 0, isSingleScan: false };

/** Reads normally, but throws for a command line with `boom`. */
function explosive(): FileCache {
  const kept = createFileCache();
  return {
    sweep: kept.sweep,
    tracked: kept.tracked,
    read(key, question, ...rest) {
      if (key.startsWith('predict') && JSON.stringify(question).includes('boom.yml'))
        throw new TypeError(`cannot read ${secret}`);
      return kept.read(key, question, ...rest);
    },
  };
}

async function scan(): Promise<Report> {
  const { memory, state } = openMemory(undefined, () => undefined);
  const sources = { procfs: '/proc', rootfs: '/', settings: () => defaultSettings, memory, state, clock: systemClock };
  const { take } = createSnapshotTaker({ ...sources, fileCache: explosive() });
  return createReporter(take, { clock: systemClock, freshness: 0, thresholds: () => thresholds }).get();
}

describe('an internal error', () => {
  it('in the prediction of one instance does not affect the others, and quotes nothing', async () => {
    const port = await quietPort();
    const boom = await world.filebeat('boom', [`127.0.0.1:${await quietPort()}`]);
    const duplicate = await world.filebeat('other/boom', [`127.0.0.1:${await quietPort()}`]);
    const sound = await world.filebeat('sound', [`127.0.0.1:${port}`]);
    const report = await scan();
    const of = (config: string) => {
      const at = report.snapshot.instances.findIndex((instance) => instance.config === config);
      return { instance: report.snapshot.instances[at]!, verdict: report.verdict.instances[at]! };
    };
    for (const { config, pid } of [boom, duplicate]) {
      const { instance, verdict } = of(config);
      assert.equal(instance.process?.pid, pid);
      assert.deepEqual([verdict.up, verdict.configValid], [true, undefined]);
      assert.ok(
        report.snapshot.gaps.some(({ subject, detail }) => subject === config && /TypeError at /.test(detail ?? '')),
      );
    }
    assert.deepEqual(
      of(sound.config).verdict.ports.map(({ port: number, status }) => [number, status]),
      [[port, 'listening']],
    );
    assert.ok(!JSON.stringify(report).includes(secret));
  });

  it('in the verdict of one instance does not affect the others, and quotes nothing', async () => {
    const port = await quietPort();
    const sound = await world.filebeat('judged', [`127.0.0.1:${port}`]);
    const odd = await world.filebeat('odd', [`127.0.0.1:${await quietPort()}`]);
    const { snapshot } = await scan();
    const target = snapshot.instances.find(({ config }) => config === odd.config)!;
    Object.defineProperty(target.prediction, 'outcome', {
      get: () => {
        throw new RangeError(secret);
      },
    });
    const verdict = correlate(snapshot, emptyScanHistory, thresholds);
    const one = verdict.instances.find(({ id }) => id === target.id)!;
    assert.deepEqual([one.up, one.healthy, one.configValid], [true, undefined, undefined]);
    const told = verdict.mismatches.filter(({ name }) => name === target.name);
    assert.deepEqual(
      told.map(({ code }) => code),
      ['config_unreadable'],
    );
    const fine = snapshot.instances.findIndex(({ config }) => config === sound.config);
    assert.deepEqual(
      verdict.instances[fine]?.ports.map(({ status }) => status),
      ['listening'],
    );
    assert.ok(!JSON.stringify(verdict).includes(secret));
  });

  it('is reported by its type and position, never by its message', () => {
    const error = new SyntaxError(`${secret} at evil.js:1:1)\nat evil.js:2:2`);
    assert.match(defectText(error), /^SyntaxError at defect\.test\.js:\d+$/);
    assert.equal(defectText(secret), 'unknown');
    const packaged = new TypeError('x');
    packaged.stack = `TypeError: x\n    at wantedOf (file:///usr/lib/filebeat-port-exporter/worker.mjs:163:12785)\n    at main.js:1:2`;
    assert.equal(defectText(packaged), 'TypeError at worker.mjs:163:12785');
  });
});
