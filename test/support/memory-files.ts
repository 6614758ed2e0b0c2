/** A FileView over a table of texts, for code that is pure except for the files it reads. */
import type { FileStat, FileView } from '../../src/filebeat/files/file-view.js';
import type { Gap, Reading } from '../../src/model/model.js';

export interface MemoryFile {
  text?: string;
  /** Seconds since the epoch. */
  mtime?: number;
  denied?: true;
}

/** Paths are absolute; a directory exists if a file is below it. No links. */
export function memoryFiles(files: Record<string, string | Uint8Array | MemoryFile>): FileView {
  const entry = (path: string): (MemoryFile & { bytes: Uint8Array }) | undefined => {
    const found = Object.hasOwn(files, path) ? files[path] : undefined;
    if (found === undefined) return undefined;
    if (typeof found === 'string') return { bytes: Buffer.from(found) };
    return found instanceof Uint8Array ? { bytes: found } : { ...found, bytes: Buffer.from(found.text ?? '') };
  };
  const gap = (reason: Gap['reason'], subject: string) => ({ ok: false, gap: { reason, subject } }) as const;
  const children = (path: string) => {
    const prefix = path.endsWith('/') ? path : `${path}/`;
    const below = Object.keys(files).filter((name) => name.startsWith(prefix));
    return [...new Set(below.map((name) => name.slice(prefix.length).split('/', 1)[0] ?? ''))].sort();
  };
  const statOf = (path: string): Reading<FileStat> => {
    const file = entry(path);
    const kind = file ? 'file' : children(path).length > 0 ? 'directory' : undefined;
    if (!kind) return gap('missing', path);
    const [size, mtime] = [file?.bytes.length ?? 0, file?.mtime ?? 1_700_000_000];
    return { ok: true, value: { kind, size, mtime, mode: 0o644, uid: 0, signature: `${size} ${mtime}` } };
  };
  return {
    stat: statOf,
    read(path, limit) {
      const file = entry(path);
      if (!file) return gap('missing', path);
      if (file.denied) return gap('denied', path);
      const stat = statOf(path);
      if (!stat.ok) return stat;
      return file.bytes.length > limit
        ? gap('limit', path)
        : { ok: true, value: { bytes: file.bytes, stat: stat.value } };
    },
    head(path, count) {
      const read = this.read(path, Number.MAX_SAFE_INTEGER);
      return read.ok ? { ok: true, value: read.value.bytes.subarray(0, count) } : read;
    },
    list(path, limit) {
      if (entry(path)?.denied) return gap('denied', path);
      const names = children(path);
      if (names.length === 0) return gap('missing', path);
      return names.length > limit ? gap('limit', path) : { ok: true, value: names };
    },
    resolve(path) {
      const stat = statOf(path);
      return stat.ok ? { ok: true, value: path } : stat;
    },
  };
}
