/** A temporary directory tree from a plain object; removed at the end of the test. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

/** Path → text, or `-> target` for a symbolic link; a path with a trailing slash is an empty directory. Scripts and programs are executable. */
export type Tree = Record<string, string>;

export function writeTree(tree: Tree): string {
  const root = mkdtempSync(join(tmpdir(), 'fpe-tree-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(tree)) {
    const full = join(root, path);
    mkdirSync(path.endsWith('/') ? full : dirname(full), { recursive: true });
    if (path.endsWith('/')) continue;
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), full);
    else writeFileSync(full, content, { mode: /^(?:#!|\x7fELF)/.test(content) ? 0o755 : 0o644 });
  }
  return root;
}
