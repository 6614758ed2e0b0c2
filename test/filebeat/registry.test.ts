import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knownInput, knownProcessor } from '../../src/filebeat/releases/registry.js';
import { newestRelease, parseRelease } from '../../src/filebeat/releases/releases.js';

const at = (text: string) => (text === 'newest' ? newestRelease : (parseRelease(text) ?? newestRelease));

describe('input types', () => {
  const rows: [type: string, known: string[], unknown: string[]][] = [
    ['udp', ['6.8.23', '7.8.0', '9.6.0', 'newest'], []],
    ['UDP', [], ['6.8.23', 'newest']],
    ['docker', ['6.8.23', '7.17.16'], ['8.0.0', '9.6.0']],
    ['filestream', ['7.10.0', '8.10.5'], ['7.9.3', '6.8.23']],
    ['unix', ['7.8.0', 'newest'], ['6.8.23']],
    ['http_endpoint', ['7.9.0', '7.17.16'], ['7.8.0']],
    ['lumberjack', ['8.4.0', '9.6.0'], ['8.3.3', '7.17.16']],
    ['s3', ['7.8.0'], ['7.17.16', '6.8.23']],
    ['shipper', ['8.10.5'], ['7.17.16', '8.19.21']],
    ['toString', [], ['newest']],
    ['', [], ['newest']],
  ];
  for (const [type, known, unknown] of rows)
    test(`${type || 'an empty name'}: ${known.join(' ') || 'nowhere'}`, () => {
      for (const release of known) assert.equal(knownInput(type, at(release)), true, release);
      for (const release of unknown) assert.equal(knownInput(type, at(release)), false, release);
    });
});

test('processors come and go with releases', () => {
  assert.deepEqual(
    ['6.8.23', '7.8.0', '8.10.5', '9.6.0'].map((release) => [
      knownProcessor('script', at(release)),
      knownProcessor('syslog', at(release)),
      knownProcessor('now', at(release)),
      knownProcessor('extract_field', at(release)),
      knownProcessor('drop_event', at(release)),
      knownProcessor('Drop_Event', at(release)),
    ]),
    [
      [false, false, false, false, true, false],
      [true, false, false, false, true, false],
      [true, true, false, false, true, false],
      [true, true, true, false, true, false],
    ],
  );
});
