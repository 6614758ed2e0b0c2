/** Instances of a scan whose process ends during the scan. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Draft, endedMeanwhile } from '../../src/scan/draft.js';
import { instance, listener } from '../support/build.js';

const now = 1000;

function draftOf(origins: Draft['instance']['origins']): Draft {
  const running = { ...instance('core', 7, [listener('127.0.0.1:9000')]), origins };
  running.process!.netns = 42;
  return { instance: running, prediction: running.prediction, refutations: [] } as unknown as Draft;
}

describe('an instance whose process ends during the scan', () => {
  const ended = endedMeanwhile(draftOf(['process', 'systemd']), now).instance;

  it('is down in the network namespace of its process, and was seen by this scan', () => {
    assert.deepEqual([ended.process, ended.netns, ended.lastSeen], [undefined, 42, now]);
  });

  it('is still expected to listen, by its other origins', () => {
    assert.deepEqual([ended.origins, ended.expected.length], [['systemd'], 1]);
    assert.deepEqual(endedMeanwhile(draftOf(['process']), now).instance.origins, ['remembered']);
  });
});
