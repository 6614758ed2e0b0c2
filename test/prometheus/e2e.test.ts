/** End to end with Debian's Prometheus and Alertmanager: `npm run test:e2e`, about two and a half minutes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mutantFile, ruleNames } from '../support/e2e/hurry.js';
import { complaints, type Fault } from '../support/e2e/judge.js';
import { alerts } from '../support/rules.js';

async function runAll(): Promise<{ code: number | null; said: string }> {
  const file = fileURLToPath(new URL('../support/e2e/main.js', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, said };
}

describe('the example rules in a real Prometheus', () => {
  it('each fault fires only its own alert, which ends with the fault; removing a rule is noticed', async (t) => {
    const { code, said } = await runAll();
    const reason = /^not run: (.+)$/m.exec(said)?.[1];
    if (code === 0 && reason !== undefined) return t.skip(reason);
    assert.equal(code, 0, said);
    for (const { alert } of alerts) {
      assert.match(said, new RegExp(`^${alert} +fired +\\d+\\.\\d s after: `, 'm'));
      assert.match(said, new RegExp(`^${alert} +ended +\\d+\\.\\d s after: `, 'm'));
    }
    for (const line of said.split('\n').filter((text) => /fired|dashboard/.test(text))) t.diagnostic(line);
  });
});

describe('the judge', () => {
  const fault: Fault = {
    what: 'a Filebeat is killed',
    instance: 'a:9117',
    alerts: { FilebeatDown: { name: 'core', severity: 'critical' } },
    brokenAt: 100,
    mendedAt: 120,
    quietAt: 124,
  };
  const series = (alertname: string, name: string, ...times: number[]) => ({
    metric: { alertname, name, instance: 'a:9117', severity: 'critical' },
    values: times.map((time): [number, string] => [time, '1']),
  });

  it('reports nothing if the expected alerts fire and end', () => {
    assert.deepEqual(complaints([series('FilebeatDown', 'core', 110, 122)], [fault]), []);
  });

  it('reports an alert that does not fire, fires for another instance or too early', () => {
    assert.deepEqual(complaints([], [fault]), ['a Filebeat is killed: FilebeatDown did not fire']);
    assert.deepEqual(complaints([series('FilebeatDown', 'edge', 110)], [fault]), [
      'a Filebeat is killed: FilebeatDown did not fire',
      'FilebeatDown fired without a cause: a:9117 edge',
    ]);
    assert.equal(complaints([series('FilebeatDown', 'core', 90)], [fault]).length, 2);
  });

  it('reports an alert without a cause, and one that does not end', () => {
    const down = series('FilebeatDown', 'core', 110);
    assert.deepEqual(complaints([down, series('FilebeatPortNotServed', 'core', 112)], [fault]), [
      'FilebeatPortNotServed fired without a cause: a:9117 core',
    ]);
    assert.equal(complaints([series('FilebeatDown', 'core', 110, 130)], [fault]).length, 1);
  });
});

it('a mutant lacks one rule and has series of its own', () => {
  for (const name of ruleNames) {
    const { groups } = JSON.parse(mutantFile(name)) as {
      groups: { rules: { alert?: string; record?: string; labels?: { mutant?: string } }[] }[];
    };
    const list = groups[0]!.rules;
    assert.equal(list.length, ruleNames.length - 1);
    for (const rule of list) {
      if (rule.alert === undefined) assert.match(rule.record!, /^without_\d+:/);
      else assert.equal(rule.labels?.mutant, name);
      assert.notEqual(rule.alert ?? rule.record, name);
    }
  }
});
