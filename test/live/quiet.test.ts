/**
 * Checks by system calls what the exporter does not do: nothing between requests, and on the scrape path it starts no
 * program and parses no unchanged file again.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort, until } from '../support/live.js';
import { needsStrace } from '../support/needs.js';
import { type StandIn, startStandIn } from '../support/stand-in.js';

/** The lines that strace writes about a process and all its threads while `act` runs. */
async function trace(pid: number, kinds: string, act: () => Promise<void>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'trace-'));
  const file = join(folder, 'calls');
  const tracer = spawn('strace', ['-f', '-qq', '-o', file, '-e', `trace=${kinds}`, '-p', String(pid)], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => tracer.once('exit', resolve));
  await until('the tracer holds all threads', () => {
    const threads = spawnSync('sh', ['-c', `grep -h TracerPid /proc/${pid}/task/*/status`], {
      encoding: 'utf8',
    }).stdout;
    return threads !== '' && !/TracerPid:\s+0$/m.test(threads);
  });
  await act();
  tracer.kill('SIGINT');
  await ended;
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  rmSync(folder, { recursive: true });
  return lines;
}

describe('the exporter', needsStrace, () => {
  let exporter: Exporter;
  let filebeat: StandIn;
  const folder = mkdtempSync(join(tmpdir(), 'quiet-'));
  const config = join(folder, 'quiet.yml');

  /** Without keep-alive. */
  const scrape = () =>
    new Promise<void>((resolve, reject) => {
      get(new URL('/metrics', exporter.url), { agent: false }, (response) => {
        response.resume().once('end', resolve);
      }).once('error', reject);
    });

  before(async () => {
    const port = await freePort();
    writeFileSync(
      config,
      `filebeat.inputs:\n- type: udp\n  host: "127.0.0.1:${port}"\noutput.file: {path: ${folder}}\n`,
    );
    filebeat = await startStandIn({
      argv: ['filebeat', '-c', config, '--path.data', join(folder, 'data')],
      sockets: [`udp 127.0.0.1:${port}`],
    });
    exporter = await startExporter();
    for (let turn = 0; turn < 5; turn++) await scrape();
  });
  after(async () => {
    await exporter.stop();
    await filebeat.stop();
    rmSync(folder, { recursive: true });
  });

  it('starts no program and no thread for a scrape', async () => {
    const calls = await trace(exporter.pid, 'process', async () => {
      for (let turn = 0; turn < 10; turn++) await scrape();
    });
    assert.deepEqual(
      calls.filter((line) => /\b(?:clone3?|v?fork|execve(?:at)?)\(/.test(line)),
      [],
    );
  });

  it('opens a configuration again only after a change', async () => {
    const opened = async () => {
      const calls = await trace(exporter.pid, 'openat', async () => {
        for (let turn = 0; turn < 5; turn++) await scrape();
      });
      return calls.filter((line) => /quiet\.yml|\/systemd\/|dpkg|\/etc\/services/.test(line));
    };
    await pause(60); // A file changed more recently is always read again.
    await scrape();
    assert.deepEqual(await opened(), []);
    writeFileSync(config, readFileSync(config, 'utf8').replace('output', '# a comment\noutput'));
    assert.ok((await opened()).some((line) => line.includes('quiet.yml')));
  });

  it('sleeps between requests, for longer than any of its periods', async () => {
    const calls = () => trace(exporter.pid, 'all', () => pause(5500));
    // V8 collects garbage once, some seconds after the last work.
    for (let turn = 0; turn < 8; turn++) {
      const wakings = (await calls()).filter((line) => / = -?\d/.test(line));
      if (wakings.length === 0) return;
    }
    assert.fail('it never slept');
  });
});
