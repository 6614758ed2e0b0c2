import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultCure } from '../src/filebeat/fault-cures.js';
import { faultCodes } from '../src/filebeat/faults.js';

const at = { file: '/etc/filebeat/filebeat.yml', line: 3 };

describe('what to do about a fault', () => {
  it('is one sentence for every fault that an edit can cure', () => {
    const without = faultCodes.filter((code) => faultCure({ code, at }) === undefined);
    assert.deepEqual(without.sort(), ['autodiscover', 'defect', 'file-unseen', 'hosted', 'managed', 'not-a-collector']);
    for (const code of faultCodes) {
      const cure = faultCure({ code, at }) ?? 'Nothing.';
      assert.match(cure, /^\w.*\.$/, code);
      assert.doesNotMatch(cure, /\{subject/, code);
    }
  });

  it('names the setting', () => {
    assert.equal(faultCure({ code: 'missing-setting', subject: 'script.lang', at }), 'Add script.lang.');
    assert.equal(faultCure({ code: 'of-another-day', subject: 'queue', at }), 'Correct queue there.');
  });
});
