/**
 * Unknown is not down, and busy is not blocked: slow disks, busy machines, changed clocks, sandboxes that hide the host,
 * frozen processes. With real causes: strace delays calls, libfaketime changes clocks, mounts and namespaces hide files.
 * Tests wait for events, never for a fixed time.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { StatusDocument } from '../../src/exporter/json/status-json.js';
import { type Exporter, type ExporterOptions, mainFile, run, startExporter } from '../support/exporter.js';
import { hang } from '../support/hang.js';
import { quietPort, until } from '../support/live.js';
import { needs, needsStrace, rootOnly } from '../support/needs.js';
import type { Scrape } from '../support/text-format.js';
import { createWorld, type Filebeat, udpConfig, type World } from '../support/world.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function newWorld(): World {
  const world = createWorld('stability-');
  ends.push(world.end);
  return world;
}

async function newExporter(flags: string[] = [], options: ExporterOptions = {}): Promise<Exporter> {
  const exporter = await startExporter(flags, options);
  let stopped = false;
  void exporter.ended.then(() => (stopped = true));
  ends.push(async () => {
    if (!stopped) process.kill(exporter.pid, 'SIGKILL');
    await exporter.ended;
  });
  return exporter;
}

/** Runs in a mount namespace of its own, after these mounts. */
const mounted = (script: string): ExporterOptions => ({
  through: ['unshare', '-m', 'sh', '-ec', `${script}\nexec "$@"`, 'sh'],
});

/** Settings with a Filebeat that is expected but not running; `flags` name the file. */
function declared(world: World, main: string): string {
  return `--config.file=${world.write('exporter.yml', `instances:\n  - {name: wanted, argv: [/usr/bin/filebeat, -c, ${main}, --path.home, ${world.folder}]}\n`)}`;
}

const told = (scrape: Scrape, config: string) =>
  scrape.all('filebeat_mismatch', { config }).map(({ labels }) => labels.get('code'));
/** Waits for a scan that began later: a request during a scan gets the result of that scan. */
async function seen(exporter: Exporter, ...filebeats: Filebeat[]): Promise<void> {
  for (const { config } of filebeats)
    await until('it is seen', async () => (await exporter.scrape()).value('filebeat_instance_up', { config }) === 1);
}

const gapsFor = async (exporter: Exporter, reason: string) =>
  ((await exporter.status()) as StatusDocument).gaps.filter((gap) => gap.reason === reason);

describe('A: a state file on a slow disk', needsStrace, () => {
  it('removes no series, however long an fsync takes', async (context) => {
    const world = newWorld();
    const exporter = await newExporter();
    const one = await world.filebeat('steady', [`127.0.0.1:${await quietPort()}`]);
    await seen(exporter, one);
    const held = await hang(exporter.pid, [], 'fsync,fdatasync', 6);
    ends.push(held.release);
    let scrapes = 0;
    // Each new Filebeat is saved at once.
    for (const name of ['second', 'third']) {
      const more = await world.filebeat(name, [`127.0.0.1:${await quietPort()}`]);
      await seen(exporter, more);
      for (let scan = 0; scan < 5; scan++, scrapes++) {
        const scrape = await exporter.scrape();
        for (const { config } of [one, more]) assert.equal(scrape.value('filebeat_port_up', { config }), 1);
        assert.equal(scrape.value('filebeat_port_exporter_scan_success'), 1);
        assert.equal(scrape.value('filebeat_port_exporter_gaps', { reason: 'blocked' }), 0);
      }
    }
    assert.doesNotMatch(exporter.log(), /a read blocks/);
    await held.release();
    const state = () => readFileSync(join(exporter.folder, 'state.json'), 'utf8');
    await until(
      'the last one is remembered',
      async () => (await exporter.scrape()) && state().includes('third.yml'),
      30,
    );
    context.diagnostic(`${scrapes} scrapes while each fsync took 6 s`);
  });
});

describe('B: long work is not a hang', () => {
  it('a configuration of 3.8 MB is read completely', async (context) => {
    const world = newWorld();
    const exporter = await newExporter();
    const well = await world.filebeat('well', [`127.0.0.1:${await quietPort()}`]);
    const port = await quietPort();
    const entry =
      '  - add_fields: {target: "", fields: {site: rack, row: "12", note: "a generated line of a long list"}}\n';
    const text = `${udpConfig([`127.0.0.1:${port}`])}processors:\n${entry.repeat(Math.ceil(3_800_000 / entry.length))}`;
    const large = await world.filebeat('large', [`127.0.0.1:${port}`], { text });
    const began = performance.now();
    await until(
      'it is known',
      async () => (await exporter.scrape()).value('filebeat_instance_config_valid', { config: large.config }) === 1,
      60,
    );
    const scrape = await exporter.scrape();
    assert.equal(scrape.value('filebeat_port_up', { config: large.config }), 1);
    assert.equal(scrape.value('filebeat_port_up', { config: well.config }), 1);
    assert.doesNotMatch(exporter.log(), /a read blocks|failed/);
    context.diagnostic(`${text.length} bytes, known after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  });

  it('a signal during the first or a later scan ends it soon, with exit code 0 and no error', async (context) => {
    const entry = '  - add_fields: {target: "", fields: {site: rack, row: "12"}}\n';
    for (const scans of [0, 1]) {
      const world = newWorld();
      const large = async () => {
        for (let i = 0; i < 3; i++) {
          const port = await quietPort();
          const text = `${udpConfig([`127.0.0.1:${port}`])}processors:\n${entry.repeat(3_800_000 / entry.length)}`;
          await world.filebeat(`large-${i}`, [`127.0.0.1:${port}`], { text });
        }
      };
      if (scans === 0) await large();
      const child = spawn(process.execPath, [
        mainFile,
        ...['serve', '--web.listen-address=127.0.0.1:0', '--scan.freshness=0s', '--state.file='],
      ]);
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
      const ended = new Promise<unknown[]>((resolve) => child.once('exit', (...how) => resolve(how)));
      ends.push(() => child.exitCode === null && child.kill('SIGKILL') && ended);
      const url = await until('it listens', () => /address="?([^\s"]+)/.exec(said)?.[1], 30);
      const metrics = async () => (await fetch(`${url}/metrics`)).text();
      let asked: Promise<unknown> | undefined;
      if (scans > 0) {
        await metrics();
        await large();
        asked = metrics().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 100)); // So that the scan is in progress; if not, the test still holds.
      }
      const began = performance.now();
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null], said);
      await asked;
      assert.doesNotMatch(said, /level=(error|warn)/);
      context.diagnostic(`${scans} scans before: ended within ${((performance.now() - began) / 1000).toFixed(1)} s`);
      if (scans === 0) assert.ok(performance.now() - began < 2000, 'it does not wait for the scan');
    }
  });

  it('the demonstration starts ten times in a row on a busy machine', async (context) => {
    const loops = Array.from({ length: 4 }, () => spawn(process.execPath, ['-e', 'for(;;);'], { stdio: 'ignore' }));
    ends.push(() => loops.map((loop) => loop.kill('SIGKILL')));
    const demo = fileURLToPath(new URL('../support/demo.js', import.meta.url));
    const began = performance.now();
    for (let start = 0; start < 10; start++) {
      const child: ChildProcess = spawn(process.execPath, [demo], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout!, child.stderr!])
        stream.setEncoding('utf8').on('data', (text) => (said += text));
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      ends.push(() => child.exitCode === null && child.kill('SIGTERM') && ended);
      await until('the demonstration invites', () => said.includes('Ctrl-C ends') || child.exitCode !== null, 120);
      assert.match(said, /Ctrl-C ends/);
      process.kill(-child.pid!, 'SIGINT');
      assert.equal(await ended, 0, said);
    }
    context.diagnostic(`10 starts beside 4 busy loops in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  });
});

const library = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
].find(existsSync);
const faketime = needs('libfaketime', () => library !== undefined);

describe('C: a changed clock', faketime, () => {
  /** An exporter whose wall clock is ahead of ours; `set` changes the offset, in seconds. */
  async function clocked(world: World, seconds: number, flags: string[] = []) {
    const file = join(world.folder, 'clock');
    const set = (ahead: number) => writeFileSync(file, `${ahead < 0 ? '' : '+'}${ahead}\n`);
    set(seconds);
    const env = {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    };
    return { exporter: await newExporter(flags, { env }), set };
  }
  const scannedAgo = (scrape: Scrape) =>
    Date.now() / 1000 - scrape.value('filebeat_port_exporter_last_scan_timestamp_seconds')!;

  it('back by an hour serves no earlier scan: an exited Filebeat is down', async () => {
    const world = newWorld();
    const { exporter, set } = await clocked(world, 0, ['--scan.freshness=100ms']);
    const one = await world.filebeat('ended', [`127.0.0.1:${await quietPort()}`]);
    const { config } = one;
    await until('it is up', async () => (await exporter.scrape()).value('filebeat_instance_up', { config }) === 1);
    set(-3600);
    await one.kill();
    await until('it is down', async () => (await exporter.scrape()).value('filebeat_instance_up', { config }) === 0);
    const scrape = await exporter.scrape();
    assert.ok(scannedAgo(scrape) > 3500, 'the clock was set');
    assert.equal(scrape.value('filebeat_port_exporter_scan_success'), 1);
    assert.ok(told(scrape, config).includes('instance_down'));
  });

  it('forward and back does not change what is up, down or remembered', async (context) => {
    const world = newWorld();
    const { exporter, set } = await clocked(world, 0);
    const up = await world.filebeat('up', [`127.0.0.1:${await quietPort()}`]);
    const lacking = await world.filebeat('lacking', [`127.0.0.1:${await quietPort()}`], { sockets: [] });
    const down = await world.filebeat('down', [`127.0.0.1:${await quietPort()}`]);
    await seen(exporter, up, lacking, down);
    await down.kill();
    const states = async () => {
      const scrape = await exporter.scrape();
      const of = (config: string) => [
        scrape.value('filebeat_instance_up', { config }),
        scrape.value('filebeat_port_up', { config }),
        ...told(scrape, config).sort(),
      ];
      return JSON.stringify([of(up.config), of(lacking.config), of(down.config)]);
    };
    const before = await states();
    assert.match(before, /^\[\[1,1\],\[1,0,"port_missing"\],\[0,0,"instance_down"\]\]$/);
    const steps = [3600, -3600, 200 * 3600, -200 * 3600, 0];
    for (const step of steps) {
      set(step);
      for (let scan = 0; scan < 2; scan++) assert.equal(await states(), before, `${step} s`);
    }
    context.diagnostic(`${steps.length} steps, up to 200 h, two scans after each`);
  });

  it('back while the exporter is off makes the time last seen unknown, and forgets nothing', async () => {
    const world = newWorld();
    const first = await newExporter([`--state.file=${join(world.folder, 'state.json')}`]);
    const one = await world.filebeat('seen', [`127.0.0.1:${await quietPort()}`]);
    const { config } = one;
    await seen(first, one);
    await first.stop();
    await one.kill();
    const { exporter } = await clocked(world, -86_400, [`--state.file=${join(world.folder, 'state.json')}`]);
    await until('it is down', async () => (await exporter.scrape()).value('filebeat_instance_up', { config }) === 0);
    const scrape = await exporter.scrape();
    assert.equal(scrape.value('filebeat_instance_last_seen_timestamp_seconds', { config }), undefined);
  });
});

describe('D: a path that blocks in one container', needsStrace, () => {
  it('is read in another one, and folders that others need are not skipped', rootOnly, async () => {
    const world = newWorld();
    const ports = [await quietPort(), await quietPort()];
    const exporter = await newExporter();
    // The same path in two roots.
    const roots = ports.map((port, index) => {
      const root = join(world.folder, `root-${index}`);
      mkdirSync(join(root, 'data'), { recursive: true });
      writeFileSync(join(root, 'data', 'filebeat.yml'), udpConfig([`127.0.0.1:${port}`]), { mode: 0o600 });
      return root;
    });
    const start = (index: number) =>
      world.process({
        argv: ['filebeat', '-c', '/data/filebeat.yml', '--path.home', '/data'],
        sockets: [`udp 127.0.0.1:${ports[index]}`],
        root: roots[index]!,
      });
    await exporter.scrape();
    const stuck = await start(0);
    const held = await hang(exporter.pid, [
      `/proc/${stuck.pid}/root/data`,
      `/proc/${stuck.pid}/root/data/filebeat.yml`,
    ]);
    ends.push(held.release);
    await until(
      'it is left alone',
      async () => {
        const scrape = await exporter.scrape();
        return scrape.value('filebeat_port_exporter_gaps', { reason: 'blocked' })! > 0;
      },
      60,
    );
    const other = await start(1);
    const { ports: seen } = await exporter.status();
    const mine = seen.filter(({ owners }) => owners.some(({ pid }) => pid === other.pid));
    assert.deepEqual(
      mine.map(({ port, up }) => [port, up]),
      [[ports[1], true]],
    );
  });
});

describe('G: lxcfs over /proc/uptime', rootOnly, () => {
  it('gives no start time in the future: a missing port is reported, start times are absent, and a gap says why', async () => {
    const world = newWorld();
    const fake = world.write('uptime', '5.00 5.00\n');
    const one = await world.filebeat('lacking', [`127.0.0.1:${await quietPort()}`], { sockets: [] });
    const exporter = await newExporter(['--scan.grace=1s'], mounted(`mount --bind ${fake} /proc/uptime`));
    const { config } = one;
    await until('the port is missing', async () => told(await exporter.scrape(), config).includes('port_missing'));
    const scrape = await exporter.scrape();
    assert.equal(scrape.value('filebeat_instance_start_time_seconds', { config }), undefined);
    assert.deepEqual(
      (await gapsFor(exporter, 'vantage')).map(({ subject }) => subject),
      ['/proc/uptime'],
    );
    const started = await world.filebeat('young', [`127.0.0.1:${await quietPort()}`], { sockets: [] });
    const young = await exporter.scrape();
    assert.notEqual(young.value('filebeat_port_info', { config: started.config, status: 'starting' }), 1);
  });

  it(
    'is not assumed if all clocks are of one time namespace',
    needs('time namespaces', () => existsSync('/proc/self/ns/time')),
    async () => {
      const world = newWorld();
      const one = await world.filebeat('timed', [`127.0.0.1:${await quietPort()}`]);
      const { config } = one;
      const startOf = async (exporter: Exporter) =>
        (await seen(exporter, one)) ??
        (await exporter.scrape()).value('filebeat_instance_start_time_seconds', { config })!;
      const plain = await startOf(await newExporter());
      const shifted = await newExporter([], {
        through: ['unshare', '--time', '--boottime', '1000000', '--monotonic', '5000', '--fork', '--kill-child'],
      });
      assert.ok(Math.abs((await startOf(shifted)) - plain) < 2);
      assert.deepEqual(await gapsFor(shifted, 'vantage'), []);
    },
  );
});

/** A pid namespace with its own process 1; `script` runs in it, in a mount namespace of its own. */
const below = (script: string): string[] => [
  ...['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c'],
  `unshare -m sh -ec '${script}\nexec "$@"' sh "$@"; exit $?`,
  'sh',
];

describe('H: without the host’s pid namespace', rootOnly, () => {
  it('no expected instance is down, and the gap says what to do', async () => {
    const world = newWorld();
    const main = world.write('wanted.yml', udpConfig([`127.0.0.1:${await quietPort()}`]));
    const made = world.write(`root${main}`, readFileSync(main, 'utf8'));
    const rootfs = `--path.rootfs=${made.slice(0, -main.length)}`;
    const ask = async (through: string[], ...more: string[]) => {
      const flags = ['check', '--json', '--state.file=', declared(world, main), ...more];
      const { code, stdout } = await run(flags, { through });
      const { instances, gaps, mismatches } = JSON.parse(stdout) as StatusDocument;
      const mine = mismatches.filter(({ name }) => name === 'wanted').map((one) => one.code);
      const blind = gaps.filter(({ reason }) => reason === 'vantage').map(({ detail }) => detail ?? '');
      const { up, healthy } = instances.find(({ name }) => name === 'wanted')!;
      return { code, up, healthy, mine, blind };
    };
    // Process 1 is the exporter, or a process with another root than the requested one.
    const alone = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
    for (const { blind, ...told } of [await ask(alone), await ask(below(''), rootfs)]) {
      assert.deepEqual(told, { code: 3, up: null, healthy: null, mine: [] });
      assert.equal(blind.length, 1);
      assert.match(blind[0]!, /--pid=host/);
    }
    // --path.unchecked accepts a root made by hand.
    const { up, mine, blind } = await ask(below(''), rootfs, '--path.unchecked');
    assert.deepEqual([up, mine, blind], [false, ['instance_down'], []]);
  });
});

describe('I: a /proc with processes only', rootOnly, () => {
  it('gives no start time in 1970, and missing files are gaps', async () => {
    const world = newWorld();
    const one = await world.filebeat('alone', [`127.0.0.1:${await quietPort()}`]);
    const exporter = await newExporter([], mounted('mount -t proc -o subset=pid proc /proc'));
    await seen(exporter, one);
    const scrape = await exporter.scrape();
    const { config } = one;
    assert.equal(scrape.value('filebeat_instance_start_time_seconds', { config }), undefined);
    assert.equal(scrape.value('filebeat_instance_up', { config }), 1);
    assert.equal(scrape.value('filebeat_port_up', { config }), 1);
    const subjects = (await gapsFor(exporter, 'vantage')).map(({ subject }) => subject);
    assert.ok(subjects.includes('/proc/uptime'), subjects.join());
  });
});

describe('J: a first read of the boot id that fails', needsStrace, () => {
  it('is repaired by the next read', async () => {
    const world = newWorld();
    const one = await world.filebeat('booted', [`127.0.0.1:${await quietPort()}`]);
    const path = '/proc/sys/kernel/random/boot_id';
    const inject = 'inject=openat:error=EIO:when=1';
    const exporter = await newExporter([], {
      through: ['strace', '-D', '-f', '-o', '/dev/null', '-e', 'trace=openat', '-P', path, '-e', inject],
    });
    const bootId = readFileSync(path, 'utf8').trim();
    const file = join(exporter.folder, 'state.json');
    type Remembered = { instances: Record<string, { config: string; start: { bootId: string } }> };
    await until('it is in the state file', async () => {
      await exporter.scrape();
      if (!existsSync(file)) return false;
      const { instances } = JSON.parse(readFileSync(file, 'utf8')) as Remembered;
      return Object.values(instances).some(({ config, start }) => config === one.config && start.bootId === bootId);
    });
  });
});

describe('M: a sandbox around the exporter', rootOnly, () => {
  async function looks(rights: string[]) {
    const world = newWorld();
    const main = world.write('wanted.yml', udpConfig([`127.0.0.1:${await quietPort()}`]));
    const settings = join('/run', `stability-${process.pid}.yml`);
    writeFileSync(settings, readFileSync(declared(world, main).split('=')[1]!));
    ends.push(() => rmSync(settings));
    const flags = ['check', '--json', '--state.file=', `--config.file=${settings}`];
    const look = async (script: string) => {
      const { stdout } = await run(flags, { through: [...below(script), ...rights] });
      const { instances, ports, mismatches, gaps } = JSON.parse(stdout) as StatusDocument;
      return {
        instances: instances.filter(({ name }) => name === 'wanted').map(({ up, config_valid }) => [up, config_valid]),
        ports: ports.filter(({ name }) => name === 'wanted').map(({ port, status }) => [port, status]),
        mismatches: mismatches.filter(({ name }) => name === 'wanted').map(({ code }) => code),
        gaps: gaps.filter(({ reason }) => reason === 'vantage').map(({ subject }) => subject),
      };
    };
    // The files of the program itself stay visible.
    const hidden = tmpdir() === '/tmp' && !mainFile.startsWith('/tmp/') ? '/tmp' : world.folder;
    return { outside: await look(''), inside: await look(`mount -t tmpfs none ${hidden}`), main, hidden };
  }

  it('hides no file from an exporter with privileges: the view of process 1 counts', async () => {
    const { outside, inside } = await looks([]);
    assert.deepEqual(inside, outside);
    assert.deepEqual([inside.mismatches, inside.gaps], [['instance_down'], []]);
  });

  it('makes hidden files unknown, not missing, for an exporter without privileges', async () => {
    const { inside, main, hidden } = await looks([
      'setpriv',
      '--bounding-set=-sys_ptrace,-sys_admin',
      '--inh-caps=-sys_ptrace,-sys_admin',
    ]);
    assert.deepEqual(inside.instances, [[false, null]]);
    assert.ok(!inside.mismatches.includes('config_invalid'), inside.mismatches.join());
    assert.ok(inside.gaps.includes(hidden) && inside.gaps.includes(main), inside.gaps.join());
  });
});

describe('O: a frozen process', () => {
  const settings = 'thresholds: {frozen_after: 100ms, stalled_after: 100ms}\n';
  async function stage() {
    const world = newWorld();
    const exporter = await newExporter([`--config.file=${world.write('exporter.yml', settings)}`]);
    const one = await world.filebeat('still', [`127.0.0.1:${await quietPort()}`]);
    const { config } = one;
    await seen(exporter, one);
    assert.deepEqual(told(await exporter.scrape(), config), []);
    const frozen = async () => {
      const scrape = await exporter.scrape();
      if (!told(scrape, config).includes('instance_frozen')) return undefined;
      assert.equal(scrape.value('filebeat_instance_up', { config }), 1);
      assert.equal(scrape.value('filebeat_instance_healthy', { config }), 0);
      assert.equal(scrape.value('filebeat_port_up', { config }), 1, 'its ports stay as they are');
      const { mismatches } = await exporter.status();
      return mismatches.find((m) => m.code === 'instance_frozen' && m.config === config)?.cause;
    };
    const moves = async () => told(await exporter.scrape(), config).length === 0;
    return { one, frozen, moves };
  }

  it('stopped by a signal is frozen until it continues, also in a single scan', async () => {
    const { one, frozen, moves } = await stage();
    process.kill(one.pid, 'SIGSTOP');
    assert.match((await until('it is frozen', frozen)) as string, /state T/);
    const { stdout } = await run(['check', '--json', '--state.file=']);
    const { mismatches } = JSON.parse(stdout) as StatusDocument;
    assert.ok(mismatches.some(({ code, config }) => code === 'instance_frozen' && config === one.config));
    process.kill(one.pid, 'SIGCONT');
    await until('it moves', moves);
  });

  it('whose threads all wait in the kernel is frozen until one continues', async () => {
    const { one, frozen, moves } = await stage();
    const goOn = await one.stall();
    assert.match((await until('it is frozen', frozen, 30)) as string, /state D/);
    await goOn();
    await until('it moves', moves);
  });

  const groups: [string, string, string, string, string][] = [
    ['v2', '/sys/fs/cgroup/unified', 'cgroup.freeze', '1', '0'],
    ['v2', '/sys/fs/cgroup', 'cgroup.freeze', '1', '0'],
    ['v1', '/sys/fs/cgroup/freezer', 'freezer.state', 'FROZEN', 'THAWED'],
  ];
  for (const [version, mount, file, freeze, thaw] of groups) {
    const isThere = () => {
      const probe = join(mount, `stability-${process.pid}`);
      try {
        mkdirSync(probe);
        const there = existsSync(join(probe, file));
        rmdirSync(probe);
        return there;
      } catch {
        return false; // No such hierarchy, or not writable.
      }
    };
    if (isThere())
      it(`in a frozen control group (${version}, ${mount}) is frozen until it is thawed`, async () => {
        const { one, frozen, moves } = await stage();
        const group = join(mount, `stability-${process.pid}`);
        mkdirSync(group);
        const home = readFileSync(`/proc/${one.pid}/cgroup`, 'utf8');
        ends.push(async () => {
          writeFileSync(join(group, file), thaw);
          await one.kill();
          await until('the group is empty', () => {
            try {
              rmdirSync(group);
              return true;
            } catch {
              return false;
            }
          });
        });
        writeFileSync(join(group, 'cgroup.procs'), String(one.pid));
        assert.notEqual(readFileSync(`/proc/${one.pid}/cgroup`, 'utf8'), home);
        // Its group is read in the first scan, the state of the freezer in every scan.
        writeFileSync(join(group, file), freeze);
        assert.match((await until('it is frozen', frozen)) as string, /control group is frozen/);
        writeFileSync(join(group, file), thaw);
        await until('it moves', moves);
      });
  }

  it('stopped by a debugger is frozen until that detaches', needsStrace, async () => {
    const { one, frozen, moves } = await stage();
    const held = await hang(one.pid, [], 'read');
    ends.push(held.release);
    assert.match((await until('it is frozen', frozen)) as string, /debugger/);
    await held.release();
    await until('it moves', moves);
  });
});
