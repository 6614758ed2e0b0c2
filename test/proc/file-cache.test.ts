/** Answers that are cached until one of their files changes, on real files. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createFileCache, RARE_CHECK_MS, type ReadOptions } from '../../src/proc/files/file-cache.js';
import { needsStrace } from '../support/needs.js';
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

describe('a missing path', () => {
  const MISSING = ['/e/late', '/e/f/late', '/late'];

  async function createMissing() {
    const root = writeTree({ 'e/x': '', 'e/f/x': '', 'g/late': 'moved', 'h/': '' });
    await pause(60);
    const cache = createFileCache();
    const scan = (): string => {
      const answer = cache.read('missing', '', root, (files) => MISSING.filter((path) => files.stat(path).ok).join());
      cache.sweep();
      return answer;
    };
    // From the third scan on, only the directories are looked at.
    for (let turn = 0; turn < 3; turn++) assert.equal(scan(), '');
    return { scan, at: (path: string) => join(root, path) };
  }

  const edits: [what: string, edit: (at: (path: string) => string) => void, found: string][] = [
    ['is created', (at) => writeFileSync(at('e/late'), ''), '/e/late'],
    ['is made as a directory', (at) => mkdirSync(at('late')), '/late'],
    ['is linked', (at) => symlinkSync('x', at('e/late')), '/e/late'],
    ['is linked to another name', (at) => linkSync(at('g/late'), at('e/f/late')), '/e/f/late'],
    ['is moved in', (at) => renameSync(at('g/late'), at('e/f/late')), '/e/f/late'],
    [
      'is in another directory that takes the place of its own',
      (at) => {
        renameSync(at('e/f'), at('h/f'));
        renameSync(at('g'), at('e/f'));
      },
      '/e/f/late',
    ],
    [
      'is behind a link that replaces its directory',
      (at) => {
        renameSync(at('e/f'), at('h/f'));
        symlinkSync('../g', at('e/f'));
      },
      '/e/f/late',
    ],
    [
      'is created and its directory dated back',
      (at) => {
        const { atime, mtime } = statSync(at('e'));
        writeFileSync(at('e/late'), '');
        utimesSync(at('e'), atime, mtime);
      },
      '/e/late',
    ],
  ];
  for (const [what, edit, found] of edits)
    it(`is found when it ${what}`, async () => {
      const { scan, at } = await createMissing();
      edit(at);
      assert.equal(scan(), found);
    });

  it('is found right after another name in its directory came and went', async () => {
    const { scan, at } = await createMissing();
    for (let turn = 0; turn < 20; turn++) {
      writeFileSync(at('e/other'), '');
      rmSync(at('e/other'));
      assert.equal(scan(), '');
    }
    writeFileSync(at('e/late'), '');
    assert.equal(scan(), '/e/late');
  });

  it('costs nothing beside its directory', needsStrace, async () => {
    const root = writeTree({ 'e/x': '' });
    await pause(60);
    const module = new URL('../../src/proc/files/file-cache.js', import.meta.url).href;
    const program = `
      const { createFileCache } = await import('${module}');
      const cache = createFileCache();
      const paths = Array.from({ length: 100 }, (_, n) => '/e/' + n);
      for (let turn = 0; turn < 12; turn++) {
        cache.read('', '', '${root}', (files) => paths.filter((path) => files.stat(path).ok));
        cache.sweep();
      }`;
    const calls = join(root, 'calls');
    execFileSync('strace', ['-f', '-o', calls, process.execPath, '--input-type=module', '-e', program]);
    const looks = readFileSync(calls, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"${root}/e`) && line.includes('stat'));
    // The first scan asks and the second makes sure: each path once, and the directory.
    assert.ok(looks.length < 330, `${looks.length} calls`);
    assert.ok(looks.filter((line) => line.includes(`"${root}/e"`)).length >= 10);
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
