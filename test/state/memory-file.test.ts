import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openMemory } from '../../src/state/memory.js';
import { forget } from '../../src/state/memory-forget.js';
import { emptyState, type State } from '../../src/state/memory-state.js';
import { encodeState, loadState } from '../../src/state/memory-text.js';
import { rootOnly } from '../support/needs.js';
import { known, stateNumber, stateOf } from '../support/states.js';

const base = mkdtempSync(join(tmpdir(), 'fpe-memory-'));
const mounts: string[] = [];
after(() => {
  for (const mount of mounts) execFileSync('umount', [mount]);
  rmSync(base, { recursive: true, force: true });
});
let counter = 0;
const fresh = () => {
  const directory = join(base, String(counter++));
  mkdirSync(directory);
  return join(directory, 'state.json');
};
const open = (path: string | undefined) => {
  const lines: string[] = [];
  return { ...openMemory(path, (level, message) => lines.push(`${level}: ${message}`)), lines };
};
const read = (path: string): State => {
  const loaded = loadState(readFileSync(path, 'utf8'));
  assert.ok(loaded.kind === 'state');
  return loaded.state;
};
/** Mounts a small file system; false where mounting is not allowed. */
const mountTmpfs = (directory: string, options: string): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' });
  mounts.push(directory);
};

describe('the state file', () => {
  it('is written for its owner only, and read back', () => {
    const path = fresh();
    const { memory, state } = open(path);
    assert.equal(state, emptyState);
    assert.equal(memory.save(stateOf(known('core')), 1000), true);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(open(path).state, stateOf(known('core')));
    assert.deepEqual(readdirSync(join(path, '..')), ['state.json']);
  });

  it('is not created for an empty state', () => {
    const path = fresh();
    const { memory } = open(path);
    memory.save(emptyState, 1000);
    memory.flush(emptyState);
    assert.equal(existsSync(path), false);
  });

  it('is not written for 30 s while only time stamps change', () => {
    const path = fresh();
    const { memory } = open(path);
    const at = (lastSeen: number) => stateOf(known('core', { lastSeen }));
    memory.save(at(1000), 1000);
    const { ino } = statSync(path);
    memory.save(at(1029), 1029);
    assert.equal(statSync(path).ino, ino);
    memory.save(at(1030), 1030);
    assert.notEqual(statSync(path).ino, ino);
    assert.equal(read(path).instances['id-core']!.lastSeen, 1030);
  });

  it('is written at once when an instance changes, and at the end in any case', () => {
    const path = fresh();
    const { memory } = open(path);
    memory.save(stateOf(known('core')), 1000);
    memory.save(stateOf(known('core', { restarts: 1 })), 1001);
    assert.equal(read(path).instances['id-core']!.restarts, 1);
    memory.flush(stateOf(known('core', { restarts: 1, lastSeen: 1002 })));
    assert.equal(read(path).instances['id-core']!.lastSeen, 1002);
  });

  it('is written at once when a socket with unwritten drops has closed, and not while it is open', () => {
    const path = fresh();
    const { memory } = open(path);
    const dropped = (total: number, open: 0 | 1): State => ({
      ...stateOf(known('core')),
      ledger: { '["core","udp","*",9000]': { total, sockets: { '1/7': total }, open, bootId: 'boot', rises: [] } },
    });
    const totals = () => Object.values(read(path).ledger).map(({ total }) => total);
    memory.save(dropped(10, 1), 1000);
    const { ino } = statSync(path);
    for (let second = 1; second < 10; second++) memory.save(dropped(10 + second, 1), 1000 + second);
    assert.deepEqual([statSync(path).ino, totals()], [ino, [10]]);
    memory.save(dropped(19, 0), 1010);
    assert.deepEqual(totals(), [19]);
    const { ino: closed } = statSync(path);
    memory.save(dropped(19, 0), 1011);
    assert.equal(statSync(path).ino, closed, 'once is enough');
  });

  it('that is corrupt is set aside, with one warning that does not quote it', () => {
    const path = fresh();
    writeFileSync(path, '{"version": 1, "hunter2');
    const { memory, state, lines } = open(path);
    assert.equal(state, emptyState);
    assert.equal(readFileSync(`${path}.corrupt`, 'utf8'), '{"version": 1, "hunter2');
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /^warn: .*set aside/);
    assert.ok(!lines[0]!.includes('hunter2'));
    assert.equal(memory.save(stateOf(known('core')), 1000), true);
    assert.deepEqual(read(path), stateOf(known('core')));
  });

  it('of a newer version is left unchanged; there is no memory then, and a gap says so', () => {
    const path = fresh();
    writeFileSync(path, '{"version":7}');
    const { memory, state, lines } = open(path);
    assert.equal(state, emptyState);
    memory.save(stateOf(known('core')), 1000);
    memory.flush(stateOf(known('core')));
    assert.equal(readFileSync(path, 'utf8'), '{"version":7}');
    assert.equal(lines.length, 1);
    assert.deepEqual(
      memory.gaps().map(({ reason, subject }) => [reason, subject]),
      [['malformed', path]],
    );
  });

  it('in a directory that cannot be written: one log line, a gap, and scans continue', () => {
    const file = fresh();
    writeFileSync(file, 'x');
    const { memory, lines } = open(join(file, 'state.json'));
    for (let now = 1000; now < 1100; now += 1)
      assert.equal(memory.save(stateOf(known('core', { restarts: now })), now), false);
    assert.equal(lines.length, 1);
    assert.equal(memory.gaps().length, 1);
  });

  it('on a read-only file system: one log line and a gap until it can be written', rootOnly, () => {
    const path = fresh();
    mountTmpfs(join(path, '..'), 'size=1m');
    const { memory, lines } = open(path);
    assert.equal(memory.save(stateOf(known('core')), 1000), true);
    execFileSync('mount', ['-o', 'remount,ro', join(path, '..')]);
    for (let now = 1001; now < 1010; now += 1) memory.save(stateOf(known('core', { restarts: 2 })), now);
    assert.deepEqual(
      memory.gaps().map(({ reason }) => reason),
      ['denied'],
    );
    assert.equal(lines.length, 1);
    execFileSync('mount', ['-o', 'remount,rw', join(path, '..')]);
    assert.equal(memory.save(stateOf(known('core', { restarts: 2 })), 1040), true);
    assert.deepEqual([memory.gaps(), lines.length], [[], 2]);
  });

  it('on a full disk: the old file stays whole, and no temporary file remains', rootOnly, () => {
    const path = fresh();
    const directory = join(path, '..');
    mountTmpfs(directory, 'size=64k');
    const { memory, lines } = open(path);
    assert.equal(memory.save(stateOf(known('core')), 1000), true);
    writeFileSync(join(directory, 'filler'), Buffer.alloc(56 * 1024));
    assert.equal(memory.save(stateNumber(1), 1001), false);
    assert.deepEqual(
      memory.gaps().map(({ reason }) => reason),
      ['limit'],
    );
    assert.equal(lines.length, 1);
    assert.deepEqual(read(path), stateOf(known('core')));
    assert.deepEqual(readdirSync(directory).sort(), ['filler', 'state.json']);
  });

  it('that is a FIFO does not block', () => {
    const path = fresh();
    execFileSync('mkfifo', [path]);
    const { memory, state } = open(path);
    assert.equal(state, emptyState);
    assert.equal(memory.gaps().length, 1);
  });

  it('behind a symbolic link is replaced, and the link stays', () => {
    const path = fresh();
    const real = fresh();
    writeFileSync(real, encodeState(emptyState));
    symlinkSync(real, path);
    open(path).memory.save(stateOf(known('core')), 1000);
    assert.deepEqual(read(real), stateOf(known('core')));
  });

  it('that another process changed (`forget`) is merged with what was learned meanwhile', () => {
    const path = fresh();
    const { memory } = open(path);
    const ours = stateOf(known('core'), known('edge'));
    memory.save(ours, 1000);
    const other = open(path);
    other.memory.flush(forget(other.state, 'core', { keepInstance: false }).state);
    const next = memory.pull(stateOf(known('core'), known('edge'), known('new')));
    assert.deepEqual(Object.keys(next.instances).sort(), ['id-edge', 'id-new']);
    memory.save(next, 1001);
    assert.deepEqual(Object.keys(read(path).instances).sort(), ['id-edge', 'id-new']);
    assert.equal(memory.pull(next), next, 'our own write is no change of another');
  });

  it('that was removed is written again', () => {
    const path = fresh();
    const { memory } = open(path);
    memory.save(stateOf(known('core')), 1000);
    rmSync(path);
    const state = memory.pull(stateOf(known('core')));
    memory.save(state, 1001);
    assert.deepEqual(read(path), stateOf(known('core')));
  });

  it('temporary files of killed writers are removed, those of running writers are not', () => {
    const path = fresh();
    const old = `${path}.4242.tmp`;
    writeFileSync(old, 'x');
    utimesSync(old, 1, 1);
    writeFileSync(`${path}.4243.tmp`, 'x');
    open(path);
    assert.deepEqual(readdirSync(join(path, '..')), ['state.json.4243.tmp']);
  });

  it('is written even if a killed writer left a file or a link at the temporary path', () => {
    const path = fresh();
    const elsewhere = join(path, '..', 'elsewhere');
    writeFileSync(elsewhere, 'not ours');
    symlinkSync(elsewhere, `${path}.${process.pid}.tmp`);
    assert.equal(open(path).memory.save(stateOf(known('core')), 1000), true);
    assert.deepEqual(read(path), stateOf(known('core')));
    assert.equal(readFileSync(elsewhere, 'utf8'), 'not ours');
  });

  it('without a path the memory lasts as long as the program', () => {
    const { memory, state } = open(undefined);
    assert.equal(memory.save(stateOf(known('core')), 1000), true);
    assert.deepEqual([state, memory.gaps()], [emptyState, []]);
  });
});

describe('kill -9 while the state is written', () => {
  const writer = fileURLToPath(new URL('../support/state-writer.js', import.meta.url));

  /** One run of a writer; the file must contain the state before, or one that it wrote, completely. */
  async function life(path: string, before: number): Promise<number> {
    const child: ChildProcess = spawn(process.execPath, [writer, path], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    const begun = () => existsSync(path) && read(path).instances['id-instance-0']!.restarts > before;
    for (const deadline = Date.now() + 20_000; !begun(); await pause(1)) assert.ok(Date.now() < deadline);
    await pause(Math.random() * 4);
    child.kill('SIGKILL');
    assert.equal(await ended, 'SIGKILL');
    const left = read(path);
    const number = left.instances['id-instance-0']!.restarts;
    assert.ok(number > before);
    assert.deepEqual(left, stateNumber(number));
    return number;
  }

  it('200 times at random moments leaves the old or the new file, never a broken one', {
    timeout: 120_000,
  }, async () => {
    const lives = async () => {
      const path = fresh();
      let number = 0;
      for (let round = 0; round < 50; round += 1) number = await life(path, number);
      assert.ok(!existsSync(`${path}.corrupt`));
      // Temporary files are removed once they are old enough.
      for (const name of readdirSync(join(path, '..'))) utimesSync(join(path, '..', name), 1, 1);
      open(path);
      assert.deepEqual(readdirSync(join(path, '..')), ['state.json']);
    };
    await Promise.all([lives(), lives(), lives(), lives()]);
  });
});

describe('versions of the state file', () => {
  it('a file of 0.1.0 is read, and written again as version 2', () => {
    const path = fresh();
    writeFileSync(path, JSON.stringify({ ...JSON.parse(encodeState(stateOf(known('core')))), version: 1 }));
    const { memory, state } = open(path);
    assert.deepEqual(state, stateOf(known('core')));
    memory.flush(state);
    assert.equal(JSON.parse(readFileSync(path, 'utf8')).version, 2);
  });

  it('a top-level field of a later release is written again', () => {
    const path = fresh();
    writeFileSync(path, JSON.stringify({ ...JSON.parse(encodeState(stateOf(known('core')))), weather: [1, 2] }));
    const { memory, state } = open(path);
    memory.flush({ ...state, ledger: {} });
    assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')).weather, [1, 2]);
  });
});
