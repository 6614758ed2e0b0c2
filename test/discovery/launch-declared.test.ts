/** Instances of the settings: a launcher before the Filebeat sets its user and its network. */
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
  it('without a launcher is taken as it is', () => {
    for (const argv of [words, ['filebeat', '-c', 'x.yml']])
      assert.deepEqual(of(...argv), { argv, cwd: '/', env: {}, root: '/', hasOwnNetwork: false });
  });

  it('through sudo runs as the user of sudo', () => {
    const start = of('sudo', '-u', 'beats', ...words);
    assert.deepEqual([start.argv, start.user?.uid, start.unclear], [words, 998, undefined]);
  });

  it('through ip netns exec runs in that network namespace', () => {
    const start = of('ip', 'netns', 'exec', 'dmz', ...words);
    assert.deepEqual([start.argv, start.hasOwnNetwork, start.unclear], [words, true, undefined]);
  });

  it('through an unknown program starts at its Filebeat, and is unclear', () => {
    const start = of('/opt/wrap', '--fast', ...words);
    assert.deepEqual([start.argv, start.envHidden], [words, { any: true, names: [] }]);
    assert.ok(start.unclear);
  });
});
