/** Which processes are Filebeats, in folders of fixtures and on the real kernel. */
import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isFilebeat } from '../../src/discovery/processes/process-check.js';
import type { RunningFilebeat } from '../../src/discovery/processes/process-facts.js';
import { createProcessScanner } from '../../src/discovery/processes/processes.js';
import {
  KERNEL_ROTATION_MS,
  ROTATION_MS,
  SELDOM_PER_SCAN,
  YOUNG_MS,
} from '../../src/discovery/processes/recheck-queue.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { openProcFs } from '../../src/proc/proc-fs.js';
import { createLooker } from '../support/live.js';
import { type StandIn, type StandInOptions, startStandIn } from '../support/stand-in.js';
import { type Tree, writeTree } from '../support/tree.js';

const FB = '/usr/share/filebeat/bin/filebeat';
const NAMES = ['filebeat', 'filebeat-oss'];

describe('a Filebeat', () => {
  const cases: [exe: string | undefined, argv: string[], is: boolean][] = [
    [FB, [FB, '-c', 'x.yml'], true],
    [FB, ['filebeat', '-environment', 'container'], true],
    ['/lib64/ld-linux-x86-64.so.2', ['filebeat', '-e'], true],
    ['/opt/shipper', ['./filebeat-oss'], true],
    [undefined, [FB, '-e'], true],
    ['/a/components/agentbeat', ['/a/components/agentbeat', 'filebeat', '-E', 'x=y'], true],
    ['/a/components/agentbeat', ['/a/components/agentbeat', 'metricbeat', '-E', 'x=y'], false],
    ['/a/elastic-otel-collector', ['/a/elastic-otel-collector', '--config', 'x'], true],
    ['/usr/share/filebeat/bin/filebeat-god', ['filebeat-god', '-r', '/', '--', FB], false],
    [FB, [FB, 'test', 'config'], false],
    [FB, [FB, '-c', 'x', 'export', 'config'], false],
    [FB, [FB, '-c', 'test'], true],
    [FB, [FB, 'run', '-e'], true],
    ['/usr/bin/tail', ['tail', '-f', '/var/log/filebeat'], false],
    ['/usr/bin/bash', ['/bin/bash', '/usr/bin/filebeat'], false],
    ['/usr/bin/vim', ['vim', 'filebeat'], false],
    [FB, [], false],
  ];
  for (const [exe, argv, is] of cases)
    it(`${is ? 'is' : 'is not'} ${exe ?? '(denied)'}: ${argv.join(' ')}`, () => {
      assert.equal(isFilebeat(exe, argv, NAMES), is);
    });
});

/** A process as a folder of fixtures. */
function processTree(pid: number, exe: string, argv: string[], more: Tree = {}, start = 12000): Tree {
  const at = (name: string) => `proc/${pid}/${name}`;
  return {
    [at('stat')]: `${pid} (${basename(exe)}) S 1 1 1 0 -1 0 0 0 0 0 250 50 0 0 20 0 8 0 ${start} 0 10 0 1 1 777 0\n`,
    [at('status')]: `Tgid:\t${pid}\nUid:\t993\t993\t993\t993\nCapEff:\t0000000000000400\n`,
    [at('cmdline')]: argv.map((word) => `${word}\0`).join(''),
    [at('environ')]: 'PATH=/bin\0',
    [at('exe')]: `-> ${exe}`,
    [at('cwd')]: '-> /',
    [at('root')]: '-> ../..',
    [at('ns/net')]: '-> net:[4026531840]',
    [at('cgroup')]: '0::/system.slice/filebeat.service\n',
    [at('limits')]: 'Max open files            1024                 524288               files\n',
    [at('fd/0')]: '-> /dev/null',
    [at('fd/7')]: '-> socket:[4242]',
    ...more,
  };
}

function scannerOf(root: string, now: () => number = () => 0) {
  return createProcessScanner(openProcFs(join(root, 'proc')), { rootfs: root, now });
}

describe('a folder of fixtures', () => {
  it('gives the same facts as a real /proc', () => {
    const root = writeTree({
      'proc/stat': 'btime 1763856000\n',
      ...processTree(1, '/sbin/init', ['init']),
      ...processTree(42, FB, [FB, '-c', 'x.yml']),
    });
    const scan = scannerOf(root).scan();
    assert.deepEqual(scan.gaps, []);
    assert.equal(scan.filebeats.length, 1);
    const [{ process, argv, env, rootId, rootDir }] = scan.filebeats as [(typeof scan.filebeats)[0]];
    assert.deepEqual([argv, { ...env }, rootId], [[FB, '-c', 'x.yml'], { PATH: '/bin' }, '/']);
    assert.equal(openFileView(rootDir).stat('/proc/stat').ok, true);
    assert.deepEqual(process, {
      pid: 42,
      startTicks: 12000,
      startTime: 1763856120,
      comm: 'filebeat',
      uid: 993,
      executable: FB,
      executableDeleted: false,
      cwd: '/',
      netns: 4026531840,
      hostNetns: true,
      unit: 'filebeat.service',
      canBindPrivileged: true,
      cpuSeconds: 3,
      residentBytes: 40960,
      openFds: 2,
      maxFds: 1024,
    });
  });

  it('a process in a container has its own root and namespace', () => {
    const id = 'ab'.repeat(32);
    const root = writeTree({
      ...processTree(1, '/sbin/init', ['init']),
      ...processTree(42, FB, ['filebeat'], {
        'container/etc/x': '',
        'proc/42/root': '-> ../../container',
        'proc/42/ns/net': '-> net:[4026532999]',
        'proc/42/cgroup': `0::/system.slice/docker-${id}.scope\n`,
      }),
    });
    const [{ process, rootId }] = scannerOf(root).scan().filebeats as [RunningFilebeat];
    assert.deepEqual(
      [process.hostNetns, process.container, rootId, process.unit],
      [false, 'abababababab', 'abababababab', undefined],
    );
  });

  it('missing files are gaps, and the Filebeat is still found', () => {
    const tree = processTree(42, FB, [FB]);
    for (const name of ['environ', 'cwd', 'ns/net', 'exe']) delete tree[`proc/42/${name}`];
    const scan = scannerOf(writeTree(tree)).scan();
    assert.equal(scan.filebeats.length, 1);
    assert.deepEqual(
      scan.gaps.map(({ reason, subject }) => `${reason} ${subject}`).sort(),
      ['cwd', 'environ', 'exe', 'ns/net'].map((name) => `missing /proc/42/${name}`),
    );
    assert.equal(scan.filebeats[0]!.env, undefined);
  });

  it('a thread, a zombie and a kernel thread are not Filebeats', () => {
    const root = writeTree({
      ...processTree(42, FB, [FB], { 'proc/42/status': 'Tgid:\t41\nUid:\t0\t0\n' }),
      ...processTree(43, FB, [], {}),
      ...processTree(44, FB, [FB], {
        'proc/44/stat': '44 (filebeat) Z 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0 0 0 0\n',
      }),
    });
    assert.deepEqual(scannerOf(root).scan().filebeats, []);
  });

  it('a process with a name similar to Filebeat is a gap, unless the settings name it', () => {
    const root = writeTree({
      ...processTree(7, '/opt/fb/filebeat.real', ['/opt/fb/filebeat.real', '-c', 'x.yml']),
      ...processTree(8, '/usr/bin/node', ['node', '/usr/bin/filebeat-port-exporter']),
      ...processTree(9, '/usr/share/filebeat/bin/filebeat-god', ['filebeat-god', '-r', '/', '--', FB]),
    });
    const scanner = createProcessScanner(openProcFs(join(root, 'proc')));
    const gapsOf = () => scanner.scan().gaps.flatMap(({ reason, subject }) => (reason === 'unclear' ? [subject] : []));
    assert.deepEqual(gapsOf(), ['process 7 (filebeat.real)']);
    assert.deepEqual(gapsOf(), ['process 7 (filebeat.real)'], 'as long as it runs');
    rmSync(join(root, 'proc/7'), { recursive: true });
    assert.deepEqual(gapsOf(), []);
    const named = createProcessScanner(openProcFs(join(root, 'proc')), { processNames: ['filebeat.real'] });
    assert.deepEqual(
      named.scan().gaps.filter(({ reason }) => reason === 'unclear'),
      [],
    );
  });

  it('without /proc the scan fails', () => {
    const scan = scannerOf('/nowhere').scan();
    assert.deepEqual([scan.usable, scan.hidden, scan.gaps], [false, true, [{ reason: 'missing', subject: '/proc' }]]);
  });
});

describe('checking other processes', () => {
  const many: Tree = {};
  for (let pid = 1000; pid < 1100; pid++)
    Object.assign(many, { [`proc/${pid}/exe`]: '-> /bin/sleep', [`proc/${pid}/cmdline`]: 'sleep\0' });

  function world() {
    const root = writeTree({ ...many, ...processTree(42, FB, [FB]) });
    const clock = { ms: 0 };
    const scanner = scannerOf(root, () => clock.ms);
    const become = (pid: number, exe: string, argv: string[]) => {
      rmSync(join(root, `proc/${pid}`), { recursive: true });
      const other = writeTree(processTree(pid, exe, argv, {}, 13000));
      renameSync(join(other, `proc/${pid}`), join(root, `proc/${pid}`));
    };
    const pids = () => scanner.scan().filebeats.map(({ process }) => process.pid);
    return { root, clock, scanner, become, pids };
  }

  it('happens in every scan while they are young, so an exec is seen at once', () => {
    const { clock, become, pids } = world();
    assert.deepEqual(pids(), [42]);
    clock.ms = YOUNG_MS - 1;
    become(1050, FB, [FB, '-c', 'late.yml']);
    assert.deepEqual(pids(), [42, 1050]);
  });

  it('happens in turns when they are old, all of them within one rotation', () => {
    const { clock, scanner, pids, become } = world();
    pids();
    clock.ms = YOUNG_MS + 1;
    pids();
    become(1050, FB, [FB, '-c', 'late.yml']);
    become(1099, FB, [FB, '-c', 'later.yml']);
    const start = clock.ms;
    const steps = 15;
    let examined = 0;
    let found: number[] = [];
    for (let step = 1; step <= steps; step++) {
      clock.ms = start + (step * ROTATION_MS) / steps;
      const scan = scanner.scan();
      assert.ok(scan.examined < 20, `${scan.examined} looked at in one scan`);
      examined += scan.examined;
      found = scan.filebeats.map(({ process }) => process.pid);
    }
    assert.deepEqual(found, [42, 1050, 1099]);
    assert.ok(examined >= 100, `${examined} looked at in all`);
  });

  it('happens for all of them after a long pause', () => {
    const { clock, pids, become } = world();
    pids();
    clock.ms = YOUNG_MS + 1;
    pids();
    become(1050, FB, [FB]);
    clock.ms += ROTATION_MS;
    assert.deepEqual(pids(), [42, 1050]);
  });

  it('includes kernel threads, whose pid may be reused by a Filebeat', () => {
    const { root, clock, become, pids } = world();
    rmSync(join(root, 'proc/1050/exe'));
    writeFileSync(join(root, 'proc/1050/cmdline'), '');
    writeFileSync(join(root, 'proc/1050/stat'), '1050 (kworker) S 2 0 0 0 -1 2129984 0 0 0 0 0 5 0 0 20 0 1 0 3 0 0\n');
    pids();
    clock.ms = YOUNG_MS + 1;
    pids();
    become(1050, FB, [FB]);
    clock.ms += KERNEL_ROTATION_MS;
    assert.deepEqual(pids(), [42, 1050]);
  });

  it('costs nothing between two turns', () => {
    const { clock, scanner } = world();
    scanner.scan();
    clock.ms = YOUNG_MS + 1;
    scanner.scan();
    assert.equal(scanner.scan().examined, 1);
  });

  it('starts again for a pid that was absent', () => {
    const { root, clock, become, pids } = world();
    pids();
    clock.ms = YOUNG_MS * 2;
    pids();
    renameSync(join(root, 'proc/1050'), join(root, 'proc/away'));
    pids();
    renameSync(join(root, 'proc/away'), join(root, 'proc/1050'));
    become(1050, FB, [FB]);
    assert.deepEqual(pids(), [42, 1050]);
  });

  it('a process that reuses the pid of a Filebeat is not a Filebeat', () => {
    const { clock, become, pids } = world();
    pids();
    clock.ms = YOUNG_MS * 2;
    become(42, '/bin/sleep', ['sleep', '1']);
    assert.deepEqual(pids(), []);
  });
});

describe('on the real kernel', () => {
  const started: StandIn[] = [];
  const start = async (options: StandInOptions) => {
    const one = await startStandIn(options);
    started.push(one);
    return one;
  };
  after(() => Promise.all(started.map((one) => one.stop())));
  const { processes } = createLooker();
  const find = (pid: number) => processes.scan().filebeats.find(({ process }) => process.pid === pid);

  it('the next scan sees a new one, with argv, directory, environment and age', async () => {
    processes.scan();
    const argv = ['/usr/share/filebeat/bin/filebeat', '-c', 'a b.yml', '', '--path.home', '/x'];
    const one = await start({ argv, cwd: '/tmp', env: { A: '1', B: 'x=y' } });
    const found = find(one.pid);
    assert.ok(found);
    assert.deepEqual([found.argv, { ...found.env }], [argv, { A: '1', B: 'x=y' }]);
    const { comm, cwd, executable, executableDeleted, hostNetns, startTime, uid } = found.process;
    assert.deepEqual(
      [comm, cwd, executable, executableDeleted, hostNetns, uid],
      ['filebeat', '/tmp', one.executable, false, true, process.getuid?.()],
    );
    assert.ok(Math.abs(startTime - Date.now() / 1000) < 30, `${startTime}`);
  });

  it('one that was killed is gone', async () => {
    const one = await start({ argv: ['filebeat'] });
    assert.ok(find(one.pid));
    await one.kill();
    assert.equal(find(one.pid), undefined);
  });

  it('a program that becomes Filebeat by exec is seen, under the same pid and start time', async () => {
    const one = await start({ argv: ['/bin/wait-for-elasticsearch'] });
    assert.equal(find(one.pid), undefined);
    await one.exec('filebeat', ['filebeat', '-c', 'late.yml']);
    assert.deepEqual(find(one.pid)?.argv, ['filebeat', '-c', 'late.yml']);
  });

  it('an old process that becomes Filebeat by exec is seen in its turn', async () => {
    const clock = { ms: 0 };
    const { processes: scanner } = createLooker('/proc', () => clock.ms);
    const one = await start({ argv: ['/bin/wait-for-elasticsearch'] });
    scanner.scan();
    clock.ms = YOUNG_MS + 1;
    const { listed } = scanner.scan();
    await one.exec('filebeat', ['filebeat', '-c', 'very-late.yml']);
    // Other processes start and end on this machine meanwhile.
    const turns = 2 * Math.ceil(listed / SELDOM_PER_SCAN) + 1;
    const isSeen = () => {
      clock.ms += ROTATION_MS;
      return scanner.scan().filebeats.some(({ process }) => process.pid === one.pid);
    };
    assert.ok(Array.from({ length: turns }).some(isSeen));
  });

  it('a Filebeat that becomes another Filebeat by exec has the new argv', async () => {
    const one = await start({ argv: ['filebeat', '-c', 'one.yml'] });
    assert.deepEqual(find(one.pid)?.argv.at(-1), 'one.yml');
    await one.exec('filebeat', ['filebeat', '-c', 'two.yml']);
    assert.deepEqual(find(one.pid)?.argv.at(-1), 'two.yml');
  });

  it('a replaced program file is reported', async () => {
    const one = await start({ argv: ['filebeat'], name: 'old/filebeat' });
    assert.equal(find(one.pid)?.process.executableDeleted, false);
    one.removeExecutable();
    const { executable, executableDeleted } = find(one.pid)!.process;
    assert.deepEqual([executable, executableDeleted], [one.executable, true]);
  });

  it('a forked child of a Filebeat is not another Filebeat', async () => {
    const one = await start({ argv: ['filebeat', '-c', 'fork.yml'] });
    const copy = await one.fork();
    assert.ok(find(one.pid));
    assert.equal(find(copy), undefined);
  });
});
