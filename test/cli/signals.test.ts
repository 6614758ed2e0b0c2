/** Signals with a meaning for Node.js only, and a debugger that NODE_OPTIONS opens. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mainFile, startExporter } from '../support/exporter.js';
import { until } from '../support/live.js';

const folder = mkdtempSync(join(tmpdir(), 'signals-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Number of listening TCP sockets of a process. */
function listeners(pid: number): number {
  const held = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // Closed meanwhile.
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1));
  return rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[3] === '0A' && held.has(row[9] ?? '')).length;
}

describe('a signal of the Node.js runtime', () => {
  for (const signal of ['SIGUSR1', 'SIGUSR2'] as const)
    it(`${signal} opens no debugger, writes no file and does not end the program`, async () => {
      const options = '--report-on-signal --heapsnapshot-signal=SIGUSR2';
      const exporter = await startExporter([], { env: { NODE_OPTIONS: options }, cwd: folder });
      try {
        process.kill(exporter.pid, signal);
        // The answer proves that the signal has been handled.
        for (let i = 0; i < 3; i++) assert.equal((await exporter.get('/-/healthy')).status, 200);
        assert.equal(listeners(exporter.pid), 1);
        assert.doesNotMatch(exporter.log(), /[Dd]ebugger/);
        assert.deepEqual(readdirSync(folder), []);
      } finally {
        await exporter.stop();
      }
    });

  it('SIGUSR1 at any moment of the start leaves no debugger behind', async () => {
    for (const delay of [30, 45, 60, 90]) {
      const child = spawn(process.execPath, [mainFile, '--web.listen-address=127.0.0.1:0', '--state.file='], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      try {
        await new Promise((resolve) => setTimeout(resolve, delay));
        child.kill('SIGUSR1');
        // Before Node.js has started, the signal ends the process, which is fine too.
        await until('it listens', () => child.signalCode === 'SIGUSR1' || /msg="?listening/.test(said));
        if (child.signalCode !== null) continue;
        // The program closes a debugger that the signal opened before it started.
        await until(`no debugger, ${delay} ms after the start: ${said}`, () => listeners(child.pid!) === 1);
        await new Promise((resolve) => setTimeout(resolve, 300));
        assert.equal(listeners(child.pid!), 1, `${delay} ms after the start: ${said}`);
      } finally {
        child.kill();
        await ended;
      }
    }
  });
});

it('every command closes a debugger that NODE_OPTIONS opens', async () => {
  const env = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
  const exporter = await startExporter([], { env });
  try {
    assert.equal(listeners(exporter.pid), 1);
  } finally {
    process.kill(exporter.pid, 'SIGKILL');
    await exporter.ended;
  }
  for (const words of [['--version'], ['check', '--quiet', '--state.file=']]) {
    const { stderr } = spawnSync(process.execPath, [mainFile, ...words], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
    });
    assert.match(stderr, /Debugger listening/, 'it was open');
  }
});
