/** Answers that are kept as long as their files stay as they were, on real files. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createFileCache, RARE_CHECK_MS, type ReadOptions } from '../../src/proc/file-cache.js';
import { type Tree, writeTree } from '../support/tree.js';

/** Holds a write lease on a file until its input ends; that somebody wants to read it is no reason to let go. */
const holdsLease = `
$SIG{IO} = 'IGNORE'; $| = 1;
open(my $file, '+<', $ARGV[0]) or die $!;
fcntl($file, 1024, 1) or die $!; # F_SETLEASE, F_WRLCK
print 'held';
<STDIN>;
`;

const PATHS = ['/a.yml', '/b.yml', '/c.yml', '/d.yml'];

/** Reads all the files of a root; `made` counts how often that was really done. */
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

describe('a kept answer', () => {
  it('is made once while nothing changes, and again after an edit', async () => {
    const { made, scan, edit } = await createReader();
    for (let turn = 0; turn < 5; turn++) assert.equal(scan(), '1234');
    assert.equal(made.times, 1);
    edit('c.yml');
    assert.equal(scan(), '12new4');
  });

  it('is made again for another question, and not for one that says the same', async () => {
    const { made, read } = await createReader();
    const ask = (question: unknown) => read({}, { question });
    ask({ argv: ['filebeat'], env: { A: '1' } });
    ask({ argv: ['filebeat'], env: { A: '1' } });
    assert.equal(made.times, 1);
    ask({ argv: ['filebeat'], env: { A: '2' } });
    assert.equal(made.times, 2);
  });

  it('looks at a file once in a scan for all who see the same files', async () => {
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

  it('is forgotten when nobody asks for a whole scan', async () => {
    const { kept, made, scan } = await createReader();
    scan();
    kept.sweep();
    scan();
    assert.equal(made.times, 2);
  });
});

describe('a directory on the way to a file', () => {
  it('matters by who may search it, and not by what else is in it', async () => {
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

describe('the entries of something that is not made anew', () => {
  it('stay, and are checked again when it is', async () => {
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
  it('is read again although nothing about it changed', async () => {
    const { made, scan, root } = await createReader();
    // A lease makes every opening that does not wait fail with EAGAIN, fcntl(2).
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

describe('files that hardly bear on an answer', () => {
  const isCalm = (_: string, path: string) => path !== '/a.yml';

  for (const path of PATHS.slice(1))
    it(`an edit of ${path} is seen within a minute, at whatever pace the scans come`, async () => {
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

  it('the others, and folders, are looked at on every scan', async () => {
    const { made, scan, edit } = await createReader();
    scan({ isCheckedRarely: isCalm });
    edit('e/y.yml');
    scan({ isCheckedRarely: isCalm });
    assert.equal(made.times, 2);
    edit('a.yml');
    assert.equal(scan({ isCheckedRarely: isCalm }), 'new234');
  });
});
