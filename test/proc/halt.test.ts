/** Whether a process is frozen by its control group, read with the privileges of the packaged service. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { needsProgram, rootOnly } from '../support/needs.js';
import { writeTree } from '../support/tree.js';

it('a user with CAP_DAC_READ_SEARCH sees that a control group below a directory of root is frozen', {
  ...rootOnly,
  ...needsProgram('setpriv'),
}, () => {
  const root = writeTree({
    'proc/42/cgroup': '4:freezer:/filebeat\n',
    'host/sys/fs/cgroup/freezer/filebeat/freezer.state': 'FROZEN\n',
  });
  chmodSync(join(root, 'host'), 0o700);
  const module = (path: string) => JSON.stringify(new URL(`../../src/proc/${path}.js`, import.meta.url).href);
  const script = `
    const { createHaltReader } = await import(${module('halt')});
    const { openProcFs } = await import(${module('proc-fs')});
    const [proc, host] = process.argv.slice(1);
    console.log(createHaltReader(openProcFs(proc), host).haltOf({ pid: 42, state: 'D' }, true));`;
  const rights = '--reuid=65534 --clear-groups --inh-caps=+dac_read_search --ambient-caps=+dac_read_search'.split(' ');
  const node = [process.execPath, '--input-type=module', '-e', script, join(root, 'proc'), join(root, 'host')];
  assert.equal(execFileSync('setpriv', [...rights, ...node], { encoding: 'utf8' }), 'cgroup\n');
});
