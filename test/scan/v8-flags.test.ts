/** While the heap flags of the systemd unit are set aside, V8 takes code that was compiled without flags, as that of Node.js is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { Script } from 'node:vm';
import { roomOfUnit } from '../support/bench/subjects.js';

// V8 takes a script that it has compiled before without looking at its code: each step needs another one.
const sources = ['before', 'aside', 'after'].map((name) => `const ${name} = (a, b) => a + b; ${name}(1, 2)`);

it('the heap flags of the command line are set aside, and set again', () => {
  const scripts = sources.map((source) => [source, new Script(source).createCachedData().toString('base64')]);
  const program = `
    import { Script } from 'node:vm';
    import { setHeapFlagsAside, tuneV8 } from ${JSON.stringify(new URL('../../src/scan/thread/v8-flags.js', import.meta.url).href)};
    const scripts = ${JSON.stringify(scripts)};
    const isRefused = () => {
      const [source, code] = scripts.shift();
      return new Script(source, { cachedData: Buffer.from(code, 'base64') }).cachedDataRejected;
    };
    const refused = [isRefused()];
    setHeapFlagsAside();
    refused.push(isRefused());
    tuneV8();
    refused.push(isRefused());
    process.stdout.write(refused.join());`;
  const { flags } = roomOfUnit();
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: {},
  });
  assert.equal(stdout, 'true,false,true', stderr);
});
