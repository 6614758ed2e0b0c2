/** Unit file and Containerfile: the privileges that they grant are sufficient and necessary. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsProgram, needsRoot } from '../support/needs.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const unitFile = `${examples}systemd/filebeat-port-exporter.service`;
const unit = readFileSync(unitFile, 'utf8');
const values = (key: string) => [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value);

describe('the unit file', () => {
  it('grants exactly two capabilities to a user that is not root', () => {
    const both = 'CAP_SYS_PTRACE CAP_DAC_READ_SEARCH';
    assert.deepEqual([values('AmbientCapabilities'), values('CapabilityBoundingSet')], [[both], [both]]);
    assert.deepEqual([values('User'), values('NoNewPrivileges')], [['filebeat-port-exporter'], ['yes']]);
  });

  it('has no setting that would blind the exporter or break V8', () => {
    for (const key of ['ProcSubset', 'PrivateNetwork', 'PrivateUsers', 'MemoryDenyWriteExecute', 'RootDirectory'])
      assert.deepEqual(values(key), [], key);
  });

  it('allows writing only the state', () => {
    assert.deepEqual([values('ProtectSystem'), values('StateDirectory')], [['strict'], ['filebeat-port-exporter']]);
    assert.deepEqual([values('ReadWritePaths'), values('RuntimeDirectory')], [[], []]);
  });

  it('has an exposure of at most 2.1 by systemd-analyze security', needsProgram('systemd-analyze'), () => {
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', '--threshold=21', unitFile],
      { encoding: 'utf8' },
    );
    assert.match(stdout + stderr, /Overall exposure level/);
    assert.equal(status, 0, stdout.split('\n').at(-2));
  });
});

describe('the two capabilities', () => {
  /** Reads a descriptor, the working directory and a secret file of root, as user nobody with these ambient capabilities. */
  const look = (...capabilities: string[]): string[] => {
    const target = spawn('sleep', ['60'], { cwd: '/', stdio: 'ignore' });
    try {
      const script = `const { readlinkSync, readFileSync } = require('fs');
        const of = (look) => { try { look(); return 'seen'; } catch (error) { return error.code; } };
        const at = '/proc/${target.pid}/';
        console.log([of(() => readlinkSync(at + 'fd/0')), of(() => readlinkSync(at + 'cwd')), of(() => readFileSync('/etc/shadow'))].join(' '));`;
      const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
      const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
      const { stdout, stderr } = spawnSync(
        'setpriv',
        [
          ...drop,
          `--inh-caps=${set}`,
          `--ambient-caps=${set}`,
          `--bounding-set=${set}`,
          process.execPath,
          '-e',
          script,
        ],
        { encoding: 'utf8' },
      );
      assert.notEqual(stdout, '', stderr);
      return stdout.trim().split(' ');
    } finally {
      target.kill();
    }
  };

  it('are sufficient to see everything, and each is necessary', needsRoot, () => {
    assert.deepEqual(look('sys_ptrace', 'dac_read_search'), ['seen', 'seen', 'seen']);
    assert.deepEqual(look('sys_ptrace'), ['EACCES', 'seen', 'EACCES']);
    assert.deepEqual(look('dac_read_search'), ['EACCES', 'EACCES', 'seen']);
    assert.deepEqual(look(), ['EACCES', 'EACCES', 'EACCES']);
  });
});

describe('the Containerfile', () => {
  const recipe = readFileSync(`${examples}container/Containerfile`, 'utf8');
  it('grants the same two, and not root', () => {
    assert.deepEqual(recipe.match(/^ && setcap (\S+)/m)?.[1], 'cap_sys_ptrace,cap_dac_read_search+ep');
    assert.deepEqual(
      [...recipe.matchAll(/--cap-add=(\w+)/g)].map(([, name]) => name),
      ['SYS_PTRACE', 'DAC_READ_SEARCH'],
    );
    assert.match(recipe, /^USER 65534:65534$/m);
  });
});
