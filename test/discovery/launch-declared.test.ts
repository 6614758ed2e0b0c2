/** Instances of the settings: a launcher in front of the Filebeat says whom it runs as, and where. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { declaredStart } from '../../src/discovery/launch/declared-start.js';
import { memoryFiles } from '../support/memory-files.js';

const files = memoryFiles({
  '/usr/share/filebeat/bin/filebeat': '\x7fELF\0',
  '/usr/bin/sudo': '\x7fELF\0',
  '/usr/sbin/ip': '\x7fELF\0',
  '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nbeats:x:998:997::/:/bin/false\n',
  '/etc/group': 'root:x:0:\nbeats:x:997:\n',
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\n',
});
const words = ['/usr/share/filebeat/bin/filebeat', '-c', '/etc/filebeat/core.yml'];
const of = (...argv: string[]) => declaredStart(files, { argv, env: {} }, []);

describe('a command line of the settings', () => {
  it('of a Filebeat is what it says', () => {
    for (const argv of [words, ['filebeat', '-c', 'x.yml']])
      assert.deepEqual(of(...argv), { argv, cwd: '/', env: {}, root: '/', hasOwnNetwork: false });
  });

  it('through sudo is its user’s', () => {
    const start = of('sudo', '-u', 'beats', ...words);
    assert.deepEqual([start.argv, start.user?.uid, start.unclear], [words, 998, undefined]);
  });

  it('in a network namespace has that one', () => {
    const start = of('ip', 'netns', 'exec', 'dmz', ...words);
    assert.deepEqual([start.argv, start.hasOwnNetwork, start.unclear], [words, true, undefined]);
  });

  it('through what is not known is taken from its Filebeat on, and that is said', () => {
    const start = of('/opt/wrap', '--fast', ...words);
    assert.deepEqual([start.argv, start.envHidden], [words, { any: true, names: [] }]);
    assert.ok(start.unclear);
  });
});
