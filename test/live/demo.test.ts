/** The demonstration: it starts, shows what it announces, and leaves nothing behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import { until } from '../support/live.js';

const demoFile = fileURLToPath(new URL('../support/demo.js', import.meta.url));
type Demo = Awaited<ReturnType<typeof startDemo>>;

const started: ChildProcess[] = [];
after(() => {
  for (const child of started) child.kill('SIGTERM');
});

/** Starts it with its own temporary folder, so that the test sees what it leaves there. */
async function startDemo() {
  const temporary = mkdtempSync(join(tmpdir(), 'demo-test-'));
  const env = { ...process.env, TMPDIR: temporary };
  const child = spawn(process.execPath, [demoFile], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const invites = () => {
    assert.equal(child.exitCode, null, said);
    return said.includes('Ctrl-C ends');
  };
  await until('the demonstration invites', invites, 120);
  const url = /http:\/\/localhost:\d+\//.exec(said)![0];
  const folder = / files are in (\S+):/.exec(said)![1]!;
  const children = () =>
    readdirSync('/proc').filter((pid) => {
      try {
        return / \(.*\) \S (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] === String(child.pid);
      } catch {
        return false; // Not a process, or gone.
      }
    });
  return { child, url, folder, temporary, ended, children, said: () => said };
}

describe('npm run demo', () => {
  it('shows the taken port, its owner and the remedy, and leaves nothing after Ctrl-C', async () => {
    const { child, url, folder, temporary, ended, children, said } = await startDemo();
    const status = (await (await fetch(new URL('/api/v1/status', url))).json()) as StatusDocument;
    const mine = status.instances.filter(({ config }) => config.startsWith(folder));
    assert.deepEqual(
      mine.map(({ name, healthy }) => [name, healthy]),
      [
        ['branches', true],
        ['core-switches', true],
        ['dmz', true],
        ['firewalls', false],
        ['flows', false],
      ],
    );
    const faults = status.mismatches.filter(({ config }) => config?.startsWith(folder));
    assert.deepEqual(faults.map(({ code, name }) => [code, name]).sort(), [
      ['port_missing', 'flows'],
      ['port_taken', 'firewalls'],
    ]);
    const thief = /syslog-relay \(pid (\d+)\)/.exec(said())![1]!;
    const taken = faults.find(({ code }) => code === 'port_taken')!;
    const page = await (await fetch(url, { headers: { Accept: 'text/html' } })).text();
    const text = page.replace(/<[^>]*>/g, '').replaceAll('&#39;', "'");
    for (const needle of [`pid ${thief} (syslog-relay)`, String(taken.port), taken.command!, taken.declared_in])
      assert.ok(text.includes(needle), `the page says ${needle}`);

    // The self-reports of two of them take one and two minutes.
    const codes = async () => {
      const now = (await (await fetch(new URL('/api/v1/status', url))).json()) as StatusDocument;
      return now.mismatches.map((one) => `${one.code} ${one.name}`);
    };
    await until('the output is told', async () => (await codes()).includes('output_failing dmz'), 240);
    await until('the silent port is told', async () => (await codes()).includes('port_silent branches'), 400);

    const pids = children();
    assert.ok(pids.length >= 7, 'six stand-ins and the exporter');
    // Like a terminal: to the whole process group.
    process.kill(-child.pid!, 'SIGINT');
    assert.equal(await ended, 0, said());
    assert.deepEqual(
      pids.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
    assert.deepEqual(readdirSync(temporary), []);
    rmdirSync(temporary);
    await assert.rejects(fetch(url));
  });

  it('serves on the next free port and says so, even if two start at the same time; SIGTERM ends it too', async () => {
    const both = await Promise.all([startDemo(), startDemo()]);
    const [first, second] = both.sort((a, b) => Number(new URL(a.url).port) - Number(new URL(b.url).port)) as [
      Demo,
      Demo,
    ];
    try {
      assert.notEqual(second.url, first.url);
      // Each uses the ports that it names, so both show the same faults.
      const told = ({ folder }: Demo, { mismatches }: StatusDocument) =>
        mismatches
          .filter(({ config, code }) => config?.startsWith(folder) && /^port_(missing|taken)$/.test(code))
          .map(({ code, name }) => `${code} ${name?.replace(/^.*-/, '')}`)
          .sort();
      const status = (await (await fetch(new URL('/api/v1/status', first.url))).json()) as StatusDocument;
      for (const demo of [first, second])
        assert.deepEqual(told(demo, status), ['port_missing flows', 'port_taken firewalls']);
      assert.match(second.said(), /^Port 9117 is in use, so the exporter serves on \d+\.$/m);
      assert.equal((await fetch(new URL('/metrics', second.url))).status, 200);
    } finally {
      const pids = [...first.children(), ...second.children()];
      first.child.kill('SIGTERM');
      second.child.kill('SIGTERM');
      assert.deepEqual([await first.ended, await second.ended], [0, 0]);
      // Only an empty folder can be removed this way.
      for (const { temporary } of [first, second]) rmdirSync(temporary);
      assert.deepEqual(
        pids.filter((pid) => existsSync(`/proc/${pid}`)),
        [],
      );
    }
  });
});
