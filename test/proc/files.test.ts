/** Files below a root, on the real file system: links stay inside, only regular files are opened, changes are noticed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { FileView } from '../../src/filebeat/files/file-view.js';
import type { FileRecord } from '../../src/proc/files/file-marks.js';
import { createMarkTable } from '../../src/proc/files/mark-table.js';
import { openFileView, recordFiles } from '../../src/proc/files/root-files.js';
import { gapOf, openProcFs } from '../../src/proc/proc-fs.js';
import { type Tree, writeTree } from '../support/tree.js';

const LIMIT = 1 << 20;

function textOf(root: string, path: string): string {
  const reading = openFileView(root).read(path, LIMIT);
  return reading.ok ? Buffer.from(reading.value.bytes).toString() : reading.gap.reason;
}

describe('links', () => {
  const outside = writeTree({ secret: 'of the host' });
  const root = writeTree({
    'etc/a.yml': 'inside',
    'etc/absolute': '-> /etc/a.yml',
    'etc/relative': '-> ../etc/./a.yml',
    'etc/up': '-> ../../../../../../etc/a.yml',
    'etc/loop': '-> loop2',
    'etc/loop2': '-> /etc/loop',
    'etc/out': `-> ${outside}/secret`,
    'etc/up-and-out': `-> ${'../'.repeat(20)}${outside.slice(1)}/secret`,
    'etc/out-by-proc': '-> /proc/self/root/etc/passwd',
    'lib/dir': '-> /etc',
    'lib/out-dir': `-> ${outside}`,
    'etc/dangling': '-> nowhere',
  });
  const cases: [path: string, found: string][] = [
    ['/etc/a.yml', 'inside'],
    ['/etc/absolute', 'inside'],
    ['/etc/relative', 'inside'],
    ['/etc/up', 'inside'],
    ['/lib/dir/a.yml', 'inside'],
    ['/lib/dir/../etc/a.yml', 'inside'],
    ['/../../etc//a.yml', 'inside'],
    ['/etc/loop', 'malformed'],
    ['/etc/out', 'missing'],
    ['/etc/up-and-out', 'missing'],
    ['/etc/out-by-proc', 'missing'],
    ['/lib/out-dir/secret', 'missing'],
    ['/etc/dangling', 'missing'],
    ['/etc/a.yml/b', 'missing'],
    ['/etc/a.yml/..', 'missing'],
  ];
  for (const [path, found] of cases) it(`${path}: ${found}`, () => assert.equal(textOf(root, path), found));

  it('are resolved to the path inside the root', () => {
    const view = openFileView(root);
    const resolved = (path: string) => {
      const reading = view.resolve(path);
      return reading.ok ? reading.value : reading.gap.reason;
    };
    assert.equal(resolved('/lib/dir/relative'), '/etc/a.yml');
    assert.equal(resolved('/'), '/');
    assert.equal(resolved('/..'), '/');
  });

  it('the root itself may be a link, as /proc/<pid>/root is', () => {
    const world = writeTree({ 'root/etc/a.yml': 'inside', 'proc/7/root': '-> ../../root' });
    assert.equal(textOf(join(world, 'proc/7/root'), '/etc/a.yml'), 'inside');
    assert.equal(textOf(`/proc/${process.pid}/root`, `${world}/root/etc/a.yml`), 'inside');
  });
});

describe('what is opened', () => {
  const root = writeTree({ 'a.yml': 'x'.repeat(100), 'd/b': '', 'd/.hidden': '', 'd/ä': '', 'd/B': '' });
  execFileSync('mkfifo', [join(root, 'fifo')]);
  const view = openFileView(root);

  it('is no FIFO, directory or device, and nothing blocks', () => {
    assert.equal(textOf(root, '/fifo'), 'malformed');
    assert.equal(textOf(root, '/d'), 'malformed');
    assert.equal(textOf('/', '/dev/zero'), 'malformed');
    const stat = view.stat('/fifo');
    assert.equal(stat.ok && stat.value.kind, 'other');
  });

  it('is no file above the limit', () => {
    const one = (limit: number) => {
      const reading = view.read('/a.yml', limit);
      return reading.ok ? reading.value.bytes.length : reading.gap.reason;
    };
    assert.deepEqual([one(100), one(99)], [100, 'limit']);
  });

  it('is also a file with a reported size of 0', () => {
    const reading = openFileView('/').read('/proc/self/status', LIMIT);
    assert.ok(reading.ok && reading.value.bytes.length > 100);
    const cut = openFileView('/').read('/proc/self/status', 100);
    assert.equal(!cut.ok && cut.gap.reason, 'limit');
  });

  it('is read again after a change, however soon, where a large file is shared', async () => {
    const large = (letter: string) => letter.repeat(100_000);
    const changing = writeTree({ large: large('a') });
    const path = join(changing, 'large');
    // A change right after the file was written, and one of a file that was read twice.
    assert.equal(textOf(changing, '/large'), large('a'));
    writeFileSync(path, large('b'));
    assert.equal(textOf(changing, '/large'), large('b'));
    await pause(100);
    assert.equal(textOf(changing, '/large'), large('b'));
    const again = openFileView(changing).read('/large', LIMIT);
    assert.equal(textOf(changing, '/large'), large('b'));
    writeFileSync(path, large('c'));
    assert.equal(textOf(changing, '/large'), large('c'));
    assert.ok(again.ok && again.value.bytes[0] === 'b'.charCodeAt(0));
  });

  it('a directory gives its names sorted by bytes, with dot-files, and not more than the limit', () => {
    const names = view.list('/d', 10);
    assert.deepEqual(names.ok && names.value, ['.hidden', 'B', 'b', 'ä']);
    const few = view.list('/d', 3);
    assert.equal(!few.ok && few.gap.reason, 'limit');
    const file = view.list('/a.yml', 3);
    assert.equal(!file.ok && file.gap.reason, 'malformed');
  });

  it('has mode, owner, size and time', () => {
    chmodSync(join(root, 'a.yml'), 0o640);
    utimesSync(join(root, 'a.yml'), 1000.5, 1000.5);
    const stat = view.stat('/a.yml');
    assert.ok(stat.ok);
    const { kind, size, mtime, mode, uid } = stat.value;
    assert.deepEqual([kind, size, mtime, mode, uid], ['file', 100, 1000.5, 0o640, process.getuid?.()]);
  });
});

describe('contents that several readers share', () => {
  it('are bounded, whatever anybody has in his files', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'];
    const root = writeTree(Object.fromEntries(names.map((name) => [name, name.repeat(9 * LIMIT)])));
    // Younger files are not shared.
    await pause(60);
    const view = openFileView(root);
    const memoryOf = (name: string) => {
      const reading = view.read(`/${name}`, 10 * LIMIT);
      assert.ok(reading.ok);
      assert.equal(reading.value.bytes[0], name.charCodeAt(0));
      return reading.value.bytes.buffer;
    };
    // In one turn of the event loop, as in a scan.
    const first = names.map(memoryOf);
    const isShared = names.map((name, at) => memoryOf(name) === first[at]);
    assert.deepEqual(isShared, [true, true, true, false, false]);
  });
});

describe('an answer from the own root', () => {
  it('is the same for each path, whatever was asked before', () => {
    const own = writeTree({ 'a/b/file': 'x', 'a/link': '-> b', 'a/up': '-> ../a/b/file' });
    const paths = [
      'a/b/file',
      'a/link/file',
      'a/b/file/below',
      'a/up',
      'a/up/below',
      'a/b',
      'a/b/',
      'a/none/x',
      'a/b/..',
    ];
    const ask = (view: FileView, path: string) => [view.resolve(`${own}/${path}`), view.stat(`${own}/${path}`)];
    const { view } = recordFiles('/');
    for (const path of [...paths, ...paths.toReversed()])
      assert.deepEqual(ask(view, path), ask(openFileView('/'), path), path);
  });
});

describe('a record of the files that were read', () => {
  /** Younger files count as changed: see `file-marks.ts`. */
  const settle = () => pause(60);
  const start: Tree = {
    'etc/main.yml': 'one',
    'etc/link.yml': '-> main.yml',
    'etc/d/x.yml': 'x',
    'etc/other.yml': 'one',
  };

  function changed(record: FileRecord, { root }: { root: string }): boolean {
    const table = createMarkTable();
    return [...record].some(([path, mark]) => table.mark(table.row('', path, mark), '', root) !== mark);
  }

  async function noticed(edit: (at: (path: string) => string) => void, look: string): Promise<[boolean, boolean]> {
    const root = writeTree(start);
    await settle();
    const view = openFileView(root);
    const { view: recording, record } = recordFiles(view.root, view.reader);
    if (look.endsWith('/')) recording.list(look, 100);
    else recording.read(look, LIMIT);
    const before = changed(record, view);
    edit((path) => join(root, path));
    return [before, changed(record, view)];
  }
  const cases: [what: string, look: string, edit: (at: (path: string) => string) => void, noticed: boolean][] = [
    ['nothing', '/etc/main.yml', () => {}, false],
    ['an edit of another file', '/etc/main.yml', (at) => writeFileSync(at('etc/other.yml'), 'two'), false],
    ['an edit of the same size', '/etc/main.yml', (at) => writeFileSync(at('etc/main.yml'), 'two'), true],
    [
      'a replacement that keeps size and time',
      '/etc/main.yml',
      (at) => {
        utimesSync(at('etc/other.yml'), 1000, 1000);
        utimesSync(at('etc/main.yml'), 1000, 1000);
        renameSync(at('etc/other.yml'), at('etc/main.yml'));
      },
      true,
    ],
    ['a change of mode', '/etc/main.yml', (at) => chmodSync(at('etc/main.yml'), 0o666), true],
    ['removal', '/etc/main.yml', (at) => rmSync(at('etc/main.yml')), true],
    ["an edit of a link's target", '/etc/link.yml', (at) => writeFileSync(at('etc/main.yml'), 'two'), true],
    [
      'a link that leads elsewhere',
      '/etc/link.yml',
      (at) => {
        rmSync(at('etc/link.yml'));
        symlinkSync('other.yml', at('etc/link.yml'));
      },
      true,
    ],
    ['a folder that was moved away', '/etc/d/x.yml', (at) => renameSync(at('etc/d'), at('etc/e')), true],
    ['a file that appears', '/etc/late.yml', (at) => writeFileSync(at('etc/late.yml'), ''), true],
    ['a folder that appears on the way', '/opt/x/late.yml', (at) => mkdirSync(at('opt')), true],
    ['a file added to a folder listed', '/etc/d/', (at) => writeFileSync(at('etc/d/y.yml'), ''), true],
    ['an edit inside a folder listed', '/etc/d/', (at) => writeFileSync(at('etc/d/x.yml'), 'z'), false],
  ];
  for (const [what, look, edit, expected] of cases)
    it(`${what}: ${expected ? 'noticed' : 'not noticed'}`, async () => {
      assert.deepEqual(await noticed(edit, look), [false, expected]);
    });

  it('a file that was modified just before it was read counts as changed', () => {
    const root = writeTree({ 'a.yml': 'one' });
    const view = openFileView(root);
    const { view: recording, record } = recordFiles(view.root, view.reader);
    recording.read('/a.yml', LIMIT);
    assert.equal(changed(record, view), true);
  });
});

describe('proc', () => {
  const procfs = openProcFs('/proc');

  it('is told from a directory of fixtures', () => {
    assert.deepEqual(
      [procfs.real, openProcFs(writeTree({ a: '' })).real, openProcFs('/nowhere').real],
      [true, false, false],
    );
  });

  it('gives whole files of any length, links and names', () => {
    const big = openProcFs(writeTree({ 'net/udp': 'y'.repeat(300_000), '7/fd/3': '-> socket:[5]' }));
    const text = big.text('net/udp');
    assert.equal(text.ok && text.value.length, 300_000);
    const piece = big.piece('net/udp');
    assert.equal(piece.ok && piece.value.length, 300_000);
    assert.deepEqual(
      [big.link('7/fd/3'), big.list('7/fd')],
      [
        { ok: true, value: 'socket:[5]' },
        { ok: true, value: ['3'] },
      ],
    );
  });

  it('a missing path is vanished below a pid and missing elsewhere, under its name in /proc', () => {
    const nobody = openProcFs(writeTree({ a: '' }));
    assert.deepEqual(nobody.piece('7/stat'), { ok: false, gap: { reason: 'vanished', subject: '/proc/7/stat' } });
    assert.deepEqual(nobody.text('sys/x'), { ok: false, gap: { reason: 'missing', subject: '/proc/sys/x' } });
    assert.deepEqual(nobody.list('7/fd'), { ok: false, gap: { reason: 'vanished', subject: '/proc/7/fd' } });
    assert.deepEqual(nobody.link('a'), {
      ok: false,
      gap: { reason: 'malformed', subject: '/proc/a', detail: 'EINVAL' },
    });
  });

  it('errnos become reasons', () => {
    const reason = (code: string) => gapOf(Object.assign(new Error(), { code }), 'x', 'missing').reason;
    assert.deepEqual(['EACCES', 'EPERM', 'ESRCH', 'ENOENT', 'EMFILE', 'EIO'].map(reason), [
      'denied',
      'denied',
      'vanished',
      'missing',
      'limit',
      'malformed',
    ]);
  });
});
