/** Reads that never return: server, later scans, other instances and shutdown go on. strace delays real system calls. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Exporter, startExporter } from '../support/exporter.js';
import { type Hang, hang } from '../support/hang.js';
import { quietPort, until } from '../support/live.js';
import { needsStrace } from '../support/needs.js';
import type { ScanAnswer } from '../support/scan-host.js';
import { readScrape } from '../support/text-format.js';
import { createWorld, udpConfig, type World } from '../support/world.js';

/**
 * The timeout of a scrape in seconds. strace stops every system call, so the new thread, which normally starts within a
 * second, needs several. The test therefore checks when the hanging thread was abandoned, by the time in the log.
 */
const SCRAPE_S = 20;
/** A thread is abandoned after four seconds in one call; there are four checks in that time. Seconds from the scrape. */
const GIVE_UP_S = { least: 3, most: 6.5 };

describe('a read that never returns', needsStrace, () => {
  const ends: (() => unknown)[] = [];
  let world: World;
  let exporter: Exporter;
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function start(flags: string[] = []) {
    world = createWorld('hang-');
    ends.push(world.end);
    exporter = await startExporter(flags);
    let stopped = false;
    ends.push(() => stopped || process.kill(exporter.pid, 'SIGKILL'));
    void exporter.ended.then(() => (stopped = true));
    await exporter.scrape();
  }
  async function hold(paths: string[], calls?: string): Promise<Hang> {
    const held = await hang(exporter.pid, paths, calls);
    ends.push(held.release);
    return held;
  }
  /** A scrape with a deadline, and its duration. */
  async function scrapeWithin(seconds: number) {
    const began = performance.now();
    const response = await exporter.get('/metrics', {
      headers: { 'X-Prometheus-Scrape-Timeout-Seconds': `${seconds}` },
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return { scrape: readScrape(text), seconds: (performance.now() - began) / 1000 };
  }
  /** When a thread was abandoned, by the log. Milliseconds since the epoch. */
  const giveUps = () => [...exporter.log().matchAll(/^ts=(\S+) .*a read blocks/gm)].map(([, at]) => Date.parse(at!));
  const healthyIn = async () => {
    const began = performance.now();
    assert.equal((await exporter.get('/-/healthy')).status, 200);
    return performance.now() - began;
  };

  it('of a configuration file affects that instance, for one scrape, and no other', async () => {
    await start();
    const [a, b] = [await quietPort(), await quietPort()];
    const healthy = await world.filebeat('healthy', [`127.0.0.1:${b}`]);
    await exporter.scrape();
    const stuck = await world.filebeat('stuck', [`127.0.0.1:${a}`]);
    const held = await hold([`/proc/${stuck.pid}/root${stuck.config}`]);
    const asked = Date.now();
    const first = scrapeWithin(SCRAPE_S);
    assert.ok((await healthyIn()) < 500);
    const { scrape } = await first;
    assert.equal(scrape.value('filebeat_port_exporter_scan_success'), 1);
    const [givenUp, ...more] = giveUps();
    const seconds = (givenUp! - asked) / 1000;
    assert.ok(seconds > GIVE_UP_S.least && seconds < GIVE_UP_S.most, `given up after ${seconds} s: ${exporter.log()}`);
    assert.deepEqual(more, [], 'it costs one wait, not one for each look at it');
    assert.equal(scrape.value('filebeat_port_up', { config: healthy.config }), 1);
    assert.equal(scrape.value('filebeat_instance_up', { config: stuck.config }), 1);
    assert.equal(scrape.value('filebeat_instance_config_valid', { config: stuck.config }), undefined);
    assert.ok(scrape.value('filebeat_port_exporter_gaps', { reason: 'blocked' })! > 0);
    // Later scans skip it.
    for (let scan = 0; scan < 3; scan++) assert.ok((await scrapeWithin(SCRAPE_S)).seconds < 1.5);
    assert.equal(giveUps().length, 1, 'they do not try it again');
    const began = performance.now();
    process.kill(exporter.pid, 'SIGTERM');
    // The tracer learns of its end first; the parent only after the tracer detaches.
    await until('it ends', () => / Z /.test(readFileSync(`/proc/${exporter.pid}/stat`, 'utf8')));
    assert.ok(performance.now() - began < 3000, 'it ends soon');
    await held.release();
    const { code, signal } = await exporter.ended;
    assert.ok(code === 0 || signal === 'SIGTERM', `${code} ${signal}`);
  });

  it('of a known file gives the earlier data in time, marked as stale', async () => {
    await start();
    const port = await quietPort();
    const one = await world.filebeat('known', [`127.0.0.1:${port}`]);
    assert.equal((await exporter.scrape()).value('filebeat_port_up', { config: one.config }), 1);
    await hold([`/proc/${one.pid}/root${one.config}`]);
    const { scrape, seconds } = await scrapeWithin(1);
    assert.ok(seconds < 1, `${seconds} s`);
    assert.equal(scrape.value('filebeat_port_up', { config: one.config }), 1);
    assert.equal(scrape.value('filebeat_port_exporter_scan_success'), 0);
    // Then by a scan that skips it, from memory.
    const later = await scrapeWithin(SCRAPE_S);
    assert.equal(later.scrape.value('filebeat_port_exporter_scan_success'), 1);
    assert.equal(later.scrape.value('filebeat_port_up', { config: one.config }), 1);
    assert.deepEqual(later.scrape.all('filebeat_mismatch', { code: 'port_missing', config: one.config }), []);
  });

  it('of another process’s command line is a gap, and no instance is down because of it', async () => {
    await start();
    const port = await quietPort();
    const one = await world.filebeat('before', [`127.0.0.1:${port}`]);
    await exporter.scrape();
    const odd = await world.process({ argv: ['odd'] });
    await hold([`/proc/${odd.pid}/cmdline`]);
    const { scrape } = await scrapeWithin(SCRAPE_S);
    assert.equal(scrape.value('filebeat_port_up', { config: one.config }), 1);
    assert.ok(scrape.value('filebeat_port_exporter_gaps', { reason: 'blocked' })! > 0);
    const late = await world.filebeat('late', [`127.0.0.1:${await quietPort()}`]);
    assert.equal((await scrapeWithin(SCRAPE_S)).scrape.value('filebeat_port_up', { config: late.config }), 1);
    // The process that hangs is not the one that exits.
    await one.kill();
    assert.equal((await scrapeWithin(SCRAPE_S)).scrape.value('filebeat_instance_up', { config: one.config }), 0);
  });

  it('of the command line of a known Filebeat affects only that one', async () => {
    await start();
    const [a, b] = [await quietPort(), await quietPort()];
    const one = await world.filebeat('veiled', [`127.0.0.1:${a}`]);
    const other = await world.filebeat('ended', [`127.0.0.1:${b}`]);
    await exporter.scrape();
    const odd = await world.process({ argv: ['odd'] });
    await hold([`/proc/${odd.pid}/cmdline`, `/proc/${one.pid}/cmdline`]);
    await scrapeWithin(SCRAPE_S);
    await other.kill();
    const { scrape } = await scrapeWithin(SCRAPE_S);
    assert.equal(scrape.value('filebeat_instance_up', { config: one.config }), undefined);
    assert.equal(scrape.value('filebeat_instance_up', { config: other.config }), 0);
    assert.deepEqual(scrape.all('filebeat_mismatch', { config: one.config }), []);
  });

  it('is retried once the call returns', async () => {
    world = createWorld('hang-');
    ends.push(world.end);
    const script = fileURLToPath(new URL('../support/scan-host.js', import.meta.url));
    const host = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    ends.push(() => host.kill('SIGKILL'));
    const lines = createInterface(host.stdout)[Symbol.asyncIterator]();
    const ask = async (config: string): Promise<ScanAnswer> => {
      host.stdin.write(`${config}\n`);
      return JSON.parse((await lines.next()).value as string) as ScanAnswer;
    };
    await ask('');
    const port = await quietPort();
    const one = await world.filebeat('returns', []);
    const held = await hang(host.pid!, [`/proc/${one.pid}/root${one.config}`]);
    ends.push(held.release);
    assert.deepEqual(await ask(one.config), { outcome: 'unknown', ports: [], stuck: 1 });
    world.write('returns.yml', udpConfig([`127.0.0.1:${port}`]));
    await held.release();
    await until('it is read again', async () => (await ask(one.config)).outcome === 'runs');
    assert.deepEqual(await ask(one.config), { outcome: 'runs', ports: [port], stuck: 0 });
  });
});
