/** The files below a directory of the host, as seen by a process with that root directory. */
import type { FileView } from '../../filebeat/files/file-view.js';

export function filesBelow(files: FileView, root: string): FileView {
  if (root === '/' || root === '') return files;
  const folder = files.resolve(root);
  const prefix = folder.ok ? folder.value : root;
  const below = (path: string) => `${prefix}${path.startsWith('/') ? path : `/${path}`}`;
  return {
    stat: (path) => files.stat(below(path)),
    read: (path, limit) => files.read(below(path), limit),
    head: (path, count) => files.head(below(path), count),
    list: (path, limit) => files.list(below(path), limit),
    resolve(path) {
      const found = files.resolve(below(path));
      if (!found.ok || !found.value.startsWith(prefix)) return found;
      return { ok: true, value: found.value.slice(prefix.length) || '/' };
    },
  };
}
