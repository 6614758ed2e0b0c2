/** A view of files that answers each question once. */
import type { FileView } from '../../filebeat/files/file-view.js';

/** For one search: a hundred units share their directories, users and programs. */
export function cachedFiles(files: FileView): FileView {
  const once = <T>(ask: (path: string, limit: number) => T) => {
    const answers = new Map<string, T>();
    return (path: string, limit: number = 0): T => {
      const key = `${limit} ${path}`;
      if (!answers.has(key)) answers.set(key, ask(path, limit));
      return answers.get(key)!;
    };
  };
  return {
    stat: once((path) => files.stat(path)),
    resolve: once((path) => files.resolve(path)),
    head: (path, count) => files.head(path, count),
    read: once((path, limit) => files.read(path, limit)),
    list: once((path, limit) => files.list(path, limit)),
  };
}
