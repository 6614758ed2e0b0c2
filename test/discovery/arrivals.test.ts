/**
 * The kernel's counters show new processes without listing all. The tests run in a pid namespace of their own, where nothing
 * else uses pids and the next one can be chosen (`ns_last_pid`, see pid_namespaces(7)).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FIRST_RELIST_MS, LONGEST_RELIST_MS } from '../../src/discovery/processes/process-list.js';
import { createProcessScanner } from '../../src/discovery/processes/processes.js';
import { OFTEN_PER_SCAN, SELDOM_PER_SCAN, YOUNG_MS } from '../../src/discovery/processes/recheck-queue.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { parseStat } from '../../src/proc/process-files.js';
import { until } from '../support/live.js';
import { rootOnly } from '../support/needs.js';
import { type StandIn, startStandIn } from '../support/stand-in.js';

const INSIDE = 'OWN_PIDS';
const MINUTE = 60_000;

/** A scanner on the real `/proc`, and whether it listed all processes. */
function watcher(root = '/proc') {
  const procfs = openProcFs(root);
  const clock = { ms: 0 };
  let lists = 0;
  const counting: typeof procfs = {
    ...procfs,
    list(path) {
      if (path === '.') lists++;
      return procfs.list(path);
    },
  };
  const scanner = createProcessScanner(counting, { now: () => clock.ms });
  return {
    clock,
    /** Pids of the Filebeats, and whether all processes were listed for that. */
    scan() {
      lists = 0;
      const { filebeats, examined } = scanner.scan();
      // This test program is an interpreter, which every scan checks.
      return { pids: filebeats.map(({ process }) => process.pid), listed: lists > 0, examined: examined - 1 };
    },
    suspect: scanner.suspect,
  };
}

/** A scanner for which a listing has confirmed the counters. */
function settledWatcher() {
  const one = watcher();
  one.scan();
  one.clock.ms += YOUNG_MS + 1;
  one.scan();
  one.clock.ms += FIRST_RELIST_MS;
  one.scan();
  return one;
}

const lastPid = () => Number(readFileSync('/proc/loadavg', 'utf8').trim().split(' ')[4]);
const nextPidIs = (pid: number) => writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));

if (process.env[INSIDE] === undefined)
  it('the range of assigned pids contains the new processes', rootOnly, () => {
    const own = ['--pid', '--mount', '--mount-proc', '--fork', '--kill-child'];
    const file = fileURLToPath(import.meta.url);
    const env: NodeJS.ProcessEnv = { ...process.env, [INSIDE]: '1' };
    delete env['NODE_TEST_CONTEXT'];
    const { status, stdout } = spawnSync('unshare', [...own, process.execPath, '--test-reporter=tap', file], {
      encoding: 'utf8',
      env,
      timeout: 2 * MINUTE,
      killSignal: 'SIGKILL',
    });
    assert.equal(status, 0, stdout);
  });
else
  describe('in a separate pid namespace', () => {
    const started: StandIn[] = [];
    const start = async (...argv: string[]) => {
      const one = await startStandIn({ argv });
      started.push(one);
      return one;
    };
    afterEach(() => Promise.all(started.splice(0).map((one) => one.stop())));

    it('a scan finds new processes without listing all', async () => {
      const one = settledWatcher();
      assert.deepEqual(one.scan(), { pids: [], listed: false, examined: 0 });
      const filebeat = await start('filebeat');
      const found = one.scan();
      assert.deepEqual([found.pids, found.listed], [[filebeat.pid], false]);
      await filebeat.stop();
      assert.deepEqual(one.scan().pids, []);
    });

    it('after a Filebeat has ended, the scan lists all and finds its successor', async () => {
      const first = await start('filebeat');
      const one = settledWatcher();
      assert.deepEqual(one.scan().pids, [first.pid]);
      await first.kill();
      const second = await start('filebeat');
      const found = one.scan();
      assert.deepEqual([found.pids, found.listed], [[second.pid], true]);
    });

    it('a process that execs Filebeat after its first scan is found by the next one', async () => {
      const one = settledWatcher();
      const late = await start('/bin/wait');
      assert.deepEqual(one.scan().pids, []);
      one.clock.ms += YOUNG_MS * 2;
      await late.exec('filebeat', ['filebeat']);
      const found = one.scan();
      assert.deepEqual([found.pids, found.listed], [[late.pid], false]);
    });

    it('a shell, an interpreter or a supervisor that becomes a Filebeat late is found by the next scan', async () => {
      for (const program of ['dash', 'python3.11', 'tini', 'runsv', 'setpriv', 'containerd-shim-runc-v2']) {
        const late = await start(program);
        const one = settledWatcher();
        await late.exec('filebeat', ['filebeat']);
        assert.deepEqual(one.scan().pids, [late.pid], program);
        await late.stop();
      }
    });

    it('a scan checks a bounded number of processes, and all of them in turn', async () => {
      const parent = await start('dash');
      const other = await start('nginx');
      const copies = OFTEN_PER_SCAN * 2;
      for (let n = 0; n < copies; n++) await Promise.all([parent.fork(), other.fork()]);
      const one = settledWatcher();
      await parent.exec('filebeat', ['filebeat']);
      await other.exec('old/filebeat', ['filebeat']);
      let pids: number[] = [];
      const scans = Math.ceil((copies + 16) / Math.min(OFTEN_PER_SCAN, SELDOM_PER_SCAN));
      for (let n = 0; n < scans; n++) {
        one.clock.ms += MINUTE;
        const found = one.scan();
        pids = found.pids;
        assert.ok(found.examined <= OFTEN_PER_SCAN + SELDOM_PER_SCAN + 2 || found.listed, `${found.examined}`);
      }
      assert.deepEqual(pids, [parent.pid, other.pid]);
    });

    it('the next scan checks a suspected process', async () => {
      const late = await start('nginx');
      const one = settledWatcher();
      await late.exec('filebeat', ['filebeat']);
      assert.deepEqual(one.scan().pids, []);
      one.suspect([late.pid]);
      assert.deepEqual(one.scan().pids, [late.pid]);
    });

    it('threads, which have pids too, are not processes', async () => {
      const one = settledWatcher();
      const before = lastPid();
      const thread = new Worker('setInterval(() => undefined, 1000)', { eval: true });
      await new Promise((resolve) => thread.once('online', resolve));
      thread.unref();
      assert.ok(lastPid() > before);
      const stat = (pid: number) => parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      assert.deepEqual([stat(lastPid())?.isThread, stat(process.pid)?.isThread], [true, false]);
      assert.deepEqual(one.scan(), { pids: [], listed: false, examined: 0 });
      await thread.terminate();
    });

    it('a reused pid is another process', async () => {
      const gone = await start('nginx');
      await start('nginx');
      const one = settledWatcher();
      await gone.stop();
      nextPidIs(gone.pid);
      const next = await start('filebeat');
      assert.equal(next.pid, gone.pid);
      assert.deepEqual(one.scan().pids, [next.pid]);
    });

    it('after the highest pid all processes are listed', async () => {
      const most = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
      nextPidIs(most - 3);
      const one = settledWatcher();
      while (lastPid() > 1000) await start('nginx');
      const next = await start('filebeat');
      const found = one.scan();
      assert.deepEqual([found.pids, found.listed, next.pid < most], [[next.pid], true, true]);
    });

    it('a process that moved no counter is found by the next listing, and then every scan lists', async () => {
      const one = settledWatcher();
      const before = lastPid();
      nextPidIs(20_000);
      const hidden = await start('filebeat');
      nextPidIs(before + 1);
      assert.deepEqual(one.scan(), { pids: [], listed: false, examined: 0 });
      one.clock.ms += LONGEST_RELIST_MS;
      assert.deepEqual(one.scan().pids, [hidden.pid]);
      assert.equal(one.scan().listed, true);
      assert.equal(one.scan().listed, false, 'confirmed');
    });

    it('counters that are not the kernel’s, or of another namespace, are ignored', async () => {
      spawnSync('mount', ['--bind', '/etc/hostname', '/proc/loadavg']);
      const one = settledWatcher();
      assert.equal(one.scan().listed, true);
      const filebeat = await start('filebeat');
      assert.deepEqual(one.scan().pids, [filebeat.pid]);
      spawnSync('umount', ['/proc/loadavg']);
      // This `/proc` shows the pids of another namespace than the reader's own.
      const script = `
        const { createPidCounter } = await import(${JSON.stringify(new URL('../../src/proc/pid-counter.js', import.meta.url).href)});
        const { openProcFs } = await import(${JSON.stringify(new URL('../../src/proc/proc-fs.js', import.meta.url).href)});
        console.log(createPidCounter(openProcFs('/proc'), () => 0).advance().counted)`;
      const child = spawn('unshare', ['--pid', '--fork', process.execPath, '--input-type=module', '-e', script]);
      let told = '';
      child.stdout.on('data', (text) => {
        told += text;
      });
      await until('it tells', () => told !== '');
      assert.equal(told.trim(), 'false');
    });
  });
