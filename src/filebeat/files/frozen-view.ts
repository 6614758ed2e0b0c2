/**
 * One look at files: what was answered once is answered again without asking the kernel. A prediction reads some files
 * several times (for its check, for its run, for each release), and they must not change between.
 */
import type { Reading } from '../../model/model.js';
import type { FileContent, FileStat, FileView } from './file-view.js';

const frozenViews = new WeakSet<FileView>();

/** The same files as they are when they are first asked for. Lives as long as the caller keeps it. */
export function frozenView(files: FileView): FileView {
  if (frozenViews.has(files)) return files;
  const stats = new Map<string, Reading<FileStat>>();
  const resolved = new Map<string, Reading<string>>();
  const contents = new Map<string, Reading<FileContent>>();
  const lists = new Map<string, Reading<string[]>>();
  const look: FileView = {
    ...files,
    stat: (path) => once(stats, path, () => files.stat(path)),
    resolve: (path) => once(resolved, path, () => files.resolve(path)),
    read: (path, limit) =>
      once(contents, `${limit} ${path}`, () => {
        const content = files.read(path, limit);
        if (content.ok && !stats.has(path)) stats.set(path, { ok: true, value: content.value.stat });
        return content;
      }),
    list: (path, limit) => once(lists, `${limit} ${path}`, () => files.list(path, limit)),
    head: (path, count) => files.head(path, count),
  };
  frozenViews.add(look);
  return look;
}

function once<T>(known: Map<string, T>, key: string, ask: () => T): T {
  let answer = known.get(key);
  if (answer === undefined) {
    answer = ask();
    known.set(key, answer);
  }
  return answer;
}

const derived = new WeakMap<Uint8Array, Map<string, unknown>>();

/** What was made of the bytes of a file, kept for as long as these very bytes are: `what` names it. */
export function derive<T>(bytes: Uint8Array, what: string, make: () => T): T {
  let known = derived.get(bytes);
  if (known === undefined) {
    known = new Map();
    derived.set(bytes, known);
  }
  if (!known.has(what)) known.set(what, make());
  return known.get(what) as T;
}
