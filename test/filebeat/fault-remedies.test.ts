import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultRemedy } from '../../src/filebeat/fault-remedies.js';
import { faultCodes } from '../../src/filebeat/faults.js';

const at = { file: '/etc/filebeat/filebeat.yml', line: 3 };

describe('the remedy for a fault', () => {
  it('is one sentence for every fault that an edit can cure', () => {
    const without = faultCodes.filter((code) => faultRemedy({ code, at }) === undefined);
    assert.deepEqual(without.sort(), ['autodiscover', 'defect', 'file-unseen', 'hosted', 'managed', 'not-a-collector']);
    for (const code of faultCodes) {
      const cure = faultRemedy({ code, at }) ?? 'Nothing.';
      assert.match(cure, /^\w.*\.$/, code);
      assert.doesNotMatch(cure, /\{subject/, code);
    }
  });

  it('names the setting', () => {
    assert.equal(faultRemedy({ code: 'missing-setting', subject: 'script.lang', at }), 'Add script.lang.');
    assert.equal(faultRemedy({ code: 'of-another-day', subject: 'queue', at }), 'Correct queue.');
  });
});
