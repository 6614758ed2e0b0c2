/** Answers that are cached until one of their files changes, on real files. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createFileCache, RARE_CHECK_MS, type ReadOptions } from '../../src/proc/file-cache.js';
import { type Tree, writeTree } from '../support/tree.js';

/** Holds a write lease on a file until its input ends, also when another process wants to read the file. */
const holdsLease = `
$SIG{IO} = 'IGNORE'; $| = 1;
open(my $file, '+<', $ARGV[0]) or die $!;
fcntl($file, 1024, 1) or die $!; # F_SETLEASE, F_WRLCK
print 'held';
<STDIN>;
`;

const PATHS = ['/a.yml', '/b.yml', '/c.yml', '/d.yml'];

/** Reads all files of a root; `made` counts the answers that did not come from the cache. */
async function createReader(tree: Tree = { 'a.yml': '1', 'b.yml': '2', 'c.yml': '3', 'd.yml': '4', 'e/x.yml': '5' }) {
  const root = writeTree(tree);
  // Younger files count as changed.
  await pause(60);
  let time = 0;
  const kept = createFileCache(() => time);
  const made = { times: 0 };
  const read = (options: ReadOptions<string> = {}, { key = 'all', question = 'q' as unknown } = {}): string => {
    const answer = kept.read(
      key,
      question,
      root,
      (files) => {
        made.times++;
        files.list('/e', 10);
        return PATHS.map((path) => files.read(path, 100))
          .map((one) => (one.ok ? Buffer.from(one.value.bytes).toString() : '-'))
          .join('');
      },
      options,
    );
    return answer;
  };
  const scan = (options: ReadOptions<string> = {}) => {
    const answer = read(options);
    kept.sweep();
    return answer;
  };
  const edit = (path: string) => writeFileSync(join(root, path), 'new');
  return { root, kept, made, read, scan, edit, pass: (ms: number) => (time += ms) };
}

describe('a cached answer', () => {
  it('is computed once while nothing changes, and again after an edit', async () => {
    const { made, scan, edit } = await createReader();
    for (let turn = 0; turn < 5; turn++) assert.equal(scan(), '1234');
    assert.equal(made.times, 1);
    edit('c.yml');
    assert.equal(scan(), '12new4');
  });

  it('is computed again for another question, but not for an equal one', async () => {
    const { made, read } = await createReader();
    const ask = (question: unknown) => read({}, { question });
    ask({ argv: ['filebeat'], env: { A: '1' } });
    ask({ argv: ['filebeat'], env: { A: '1' } });
    assert.equal(made.times, 1);
    ask({ argv: ['filebeat'], env: { A: '2' } });
    assert.equal(made.times, 2);
  });

  it('checks a file once per scan for all processes with the same files', async () => {
    const { kept, read, edit } = await createReader();
    const both = () => [read({ view: 'one' }, { key: 'x' }), read({ view: 'one' }, { key: 'y' })];
    both();
    kept.sweep();
    read({ view: 'one' }, { key: 'x' });
    edit('a.yml');
    assert.equal(read({ view: 'one' }, { key: 'y' }), '1234');
    assert.equal(read({ view: 'another' }, { key: 'y' }), 'new234');
    kept.sweep();
    assert.deepEqual(both(), ['new234', 'new234']);
  });

  it('is removed after a scan that did not use it', async () => {
    const { kept, made, scan } = await createReader();
    scan();
    kept.sweep();
    scan();
    assert.equal(made.times, 2);
  });
});

describe('a directory above a file', () => {
  it('invalidates an answer when its permissions change, but not when its entries do', async () => {
    const uid = process.getuid?.() ?? 0;
    const reader = { uid, groups: [], isDoubted: true };
    const root = writeTree({ 'home/a.yml': '1' });
    chmodSync(join(root, 'home'), 0o700);
    await pause(60);
    const kept = createFileCache();
    let made = 0;
    const scan = () => {
      const answer = kept.read('a', '', root, (files) => `${++made} ${files.read('/home/a.yml', 100).ok}`, { reader });
      kept.sweep();
      return answer;
    };
    assert.equal(scan(), '1 true');
    writeFileSync(join(root, 'home/b.yml'), 'another');
    assert.equal(scan(), '1 true');
    chmodSync(join(root, 'home'), 0o600);
    assert.equal(scan(), '2 false');
  });
});

describe('the entries of a result that is reused', () => {
  it('stay in the cache, and are checked when the result is computed again', async () => {
    const { kept, made, read, edit } = await createReader();
    const { value, keep } = kept.tracked(() => read());
    for (let turn = 0; turn < 3; turn++) {
      kept.sweep();
      keep();
    }
    kept.sweep();
    assert.equal(read(), value);
    assert.equal(made.times, 1);
    kept.sweep();
    edit('a.yml');
    assert.equal(read(), 'new234');
  });
});

describe('a file that cannot be read for a while', () => {
  it('is read again although its time stamps did not change', async () => {
    const { made, scan, root } = await createReader();
    // With a lease every non-blocking open fails with EAGAIN, fcntl(2).
    const holder = spawn('perl', ['-e', holdsLease, join(root, 'b.yml')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    assert.equal(scan(), '1-34');
    holder.stdin.end();
    await ended;
    assert.equal(scan(), '1234');
    assert.equal(scan(), '1234');
    assert.equal(made.times, 2, 'and then it is kept');
  });
});

describe('files that are checked rarely', () => {
  const isCalm = (_: string, path: string) => path !== '/a.yml';

  for (const path of PATHS.slice(1))
    it(`an edit of ${path} is noticed within a minute at any interval between scans`, async () => {
      for (const pace of [1000, 15_000, 2 * RARE_CHECK_MS]) {
        const { scan, edit, pass } = await createReader();
        scan({ isCheckedRarely: isCalm });
        edit(path.slice(1));
        let passed = 0;
        while (!scan({ isCheckedRarely: isCalm }).includes('new')) {
          assert.ok(passed <= RARE_CHECK_MS, `${passed} ms`);
          pass(pace);
          passed += pace;
        }
      }
    });

  it('other files and directories are checked in every scan', async () => {
    const { made, scan, edit } = await createReader();
    scan({ isCheckedRarely: isCalm });
    edit('e/y.yml');
    scan({ isCheckedRarely: isCalm });
    assert.equal(made.times, 2);
    edit('a.yml');
    assert.equal(scan({ isCheckedRarely: isCalm }), 'new234');
  });
});
