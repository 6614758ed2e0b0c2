/** The prediction of a Filebeat from texts: files by path, arguments, environment. */
import type { FileStat, FileView } from '../../src/filebeat/files/file-view.js';
import { predict } from '../../src/filebeat/predict.js';
import type { Gap, Listener, Prediction } from '../../src/model/model.js';

export interface MadeFile {
  text: string | Uint8Array;
  uid?: number;
  mode?: number;
  /** `read`: it cannot be opened. `stat`: its folder cannot be searched. */
  denied?: 'read' | 'stat';
}

/** Files in memory; folders are derived from their paths. */
export function memoryFiles(files: Record<string, string | Uint8Array | MadeFile>): FileView {
  const known = new Map<string, MadeFile>();
  const folders = new Map<string, Set<string>>([['/', new Set()]]);
  for (const [path, file] of Object.entries(files)) {
    known.set(path, typeof file === 'string' || file instanceof Uint8Array ? { text: file } : file);
    for (let at = path; at !== '/'; ) {
      const parent = at.slice(0, at.lastIndexOf('/')) || '/';
      folders.set(parent, (folders.get(parent) ?? new Set()).add(at.slice(at.lastIndexOf('/') + 1)));
      at = parent;
    }
  }
  const clean = (path: string): string => path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
  const missing = (path: string): { ok: false; gap: Gap } => ({ ok: false, gap: { reason: 'missing', subject: path } });
  const denied = (path: string): { ok: false; gap: Gap } => ({ ok: false, gap: { reason: 'denied', subject: path } });
  const stat = (given: string): { ok: true; value: FileStat } | { ok: false; gap: Gap } => {
    const path = clean(given);
    const file = known.get(path);
    const kind = file ? 'file' : folders.has(path) ? 'directory' : undefined;
    if (!kind) return missing(path);
    if (file?.denied === 'stat') return denied(path);
    const value = {
      kind,
      size: file?.text.length ?? 0,
      mtime: 1,
      mode: file?.mode ?? 0o644,
      uid: file?.uid ?? 0,
    } as const;
    return { ok: true, value: { ...value, signature: path } };
  };
  return {
    stat,
    read(path, limit) {
      const file = known.get(clean(path));
      const found = stat(path);
      if (!file) return missing(path);
      if (!found.ok) return found;
      if (file.denied) return denied(path);
      const bytes = typeof file.text === 'string' ? Buffer.from(file.text) : file.text;
      if (bytes.length > limit) return { ok: false, gap: { reason: 'limit', subject: path } };
      return { ok: true, value: { bytes, stat: found.value } };
    },
    head(path, count) {
      const read = this.read(path, Number.MAX_SAFE_INTEGER);
      return read.ok ? { ok: true, value: read.value.bytes.subarray(0, count) } : read;
    },
    list(path, limit) {
      const names = [...(folders.get(clean(path)) ?? [])].sort();
      if (!folders.has(clean(path))) return missing(path);
      return names.length > limit ? { ok: false, gap: { reason: 'limit', subject: path } } : { ok: true, value: names };
    },
    resolve: (path) => (stat(path).ok ? { ok: true, value: clean(path) } : missing(path)),
  };
}

export interface Made {
  /** Default: `/etc/fb/filebeat.yml`. */
  main?: string | Uint8Array;
  files?: Record<string, string | Uint8Array | MadeFile>;
  /** Arguments after the program's name. */
  args?: string[];
  env?: Record<string, string> | undefined;
  release?: string;
  uid?: number;
}

export const HOSTS = { '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n', '/etc/services': 'syslog 514/udp\n' };

/** Predicts `/etc/fb/filebeat ARGS` with the current directory `/etc/fb`; adds an output unless the text has one. */
export function predicted(made: Made): Prediction {
  const { main, files = {}, args = [], release = '9.6.0', uid = 0 } = made;
  const view = memoryFiles({
    ...HOSTS,
    ...(main === undefined ? {} : { '/etc/fb/filebeat.yml': main }),
    '/etc/fb/output.yml': 'output.console.enabled: true\n',
    ...files,
  });
  const named = args.includes('-c') ? [] : ['-c', 'filebeat.yml'];
  const argv = ['/etc/fb/filebeat', ...named, '-c', 'output.yml', ...args];
  const env = 'env' in made ? made.env : {};
  return predict({ argv, cwd: '/etc/fb', env, uid }, view, { release });
}

/** `udp 127.0.0.1:9001` for each listener, as in the labels `address` and `port`. */
export function labels(listeners: readonly Listener[]): string[] {
  return listeners.map(({ protocol, address, port }) => `${protocol} ${address}:${port ?? ''}`);
}

/** The result of a prediction: its listeners, or the outcome and its reason. */
export function summary(prediction: Prediction): string {
  const { outcome, reason, listeners } = prediction;
  if (outcome === 'runs') return labels(listeners).join(', ') || 'nothing';
  return `${outcome}: ${reason?.code ?? 'no reason'}`;
}
