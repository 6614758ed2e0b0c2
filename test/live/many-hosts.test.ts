/** A fleet with a real Prometheus, the dashboard and a real Alertmanager. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsProgram, rootOnly } from '../support/needs.js';

const needsAll = [rootOnly, ...['prometheus', 'prometheus-alertmanager', 'ip'].map(needsProgram)];

it(
  'twenty hosts are found by files, every query of the fleet dashboard is answered, and one output that fails on forty hosts is one message',
  needsAll.find(({ skip }) => skip !== undefined) ?? {},
  async (t) => {
    const file = fileURLToPath(new URL('../support/e2e/many-hosts.js', import.meta.url));
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.after(() => child.kill('SIGKILL'));
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0, said);
    for (const line of [
      /^20 hosts found by two files$/m,
      /^\d+ queries of the fleet's dashboard executed$/m,
      /^\d+ queries of one host's dashboard executed$/m,
      /^one message for one output that fails on 40 hosts$/m,
      /^remote write: [\d.]+ bytes for each sample/m,
    ])
      assert.match(said, line);
    for (const line of said.trim().split('\n')) t.diagnostic(line);
  },
);
