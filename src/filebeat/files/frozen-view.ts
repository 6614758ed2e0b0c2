/**
 * A view of files that answers every repeated question with the first answer. A prediction reads some files several
 * times (for its check, for its run, for each release), and they must not change in between.
 */
import type { Reading } from '../../model/model.js';
import type { FileContent, FileStat, FileView } from './file-view.js';

const frozenViews = new WeakSet<FileView>();

/** The same files, each as at its first access. */
export function frozenView(files: FileView): FileView {
  if (frozenViews.has(files)) return files;
  const stats = new Map<string, Reading<FileStat>>();
  const resolved = new Map<string, Reading<string>>();
  const contents = new Map<string, Reading<FileContent>>();
  const lists = new Map<string, Reading<string[]>>();
  const view: FileView = {
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
  frozenViews.add(view);
  return view;
}

function once<T>(cache: Map<string, T>, key: string, read: () => T): T {
  let answer = cache.get(key);
  if (answer === undefined) {
    answer = read();
    cache.set(key, answer);
  }
  return answer;
}

const derived = new WeakMap<Uint8Array, Map<string, unknown>>();

/** A result computed from a file's bytes, cached as long as these bytes live. `what` names the computation. */
export function derive<T>(bytes: Uint8Array, what: string, make: () => T): T {
  let results = derived.get(bytes);
  if (results === undefined) {
    results = new Map();
    derived.set(bytes, results);
  }
  if (!results.has(what)) results.set(what, make());
  return results.get(what) as T;
}
