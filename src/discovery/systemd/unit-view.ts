/** Paths at which a service sees other files than the host (systemd.exec(5) "SANDBOXING", "CREDENTIALS"). */
import { posix } from 'node:path';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Reading } from '../../model/model.js';
import type { UnitSettings } from './unit-files/unit-settings.js';
import { splitWords } from './unit-files/unit-words.js';

export interface HiddenPath {
  /** The path as the service sees it. */
  path: string;
  /** The path on the host that is mounted there; absent: unknown content. */
  source?: string;
  why: string;
}

/** The hidden paths of a unit's settings; later ones win over earlier ones. */
export function hiddenPaths(settings: UnitSettings, unit: string): HiddenPath[] {
  const paths: HiddenPath[] = [];
  const hide = (why: string, ...hiddenPaths: string[]) => paths.push(...hiddenPaths.map((path) => ({ path, why })));
  if (settings.flag('PrivateTmp') || settings.text('PrivateTmp') === 'disconnected' || settings.flag('DynamicUser')) {
    hide(`${unit} has its own /tmp`, '/tmp', '/var/tmp');
  }
  const home = settings.text('ProtectHome');
  if (settings.flag('ProtectHome') || home === 'tmpfs')
    hide(`ProtectHome= hides it from ${unit}`, '/home', '/root', '/run/user');
  if (settings.text('RootImage') !== undefined) hide(`${unit} has an image for its root`, '/');
  if (settings.list('ExtensionImages').length + settings.list('ExtensionDirectories').length > 0) {
    hide(`an extension is mounted over it for ${unit}`, '/usr', '/opt');
  }
  const words = (key: string) =>
    settings.list(key).flatMap((one) => splitWords(settings.expand(one.value, one) ?? '').words);
  for (const word of words('TemporaryFileSystem'))
    hide(`an empty file system is mounted over it for ${unit}`, plain(word.split(':')[0]!));
  for (const word of words('InaccessiblePaths')) hide(`InaccessiblePaths= hides it from ${unit}`, plain(word));
  for (const word of words('MountImages'))
    hide(`an image is mounted over it for ${unit}`, plain(word.split(':')[1] ?? '/'));
  for (const word of [...words('BindPaths'), ...words('BindReadOnlyPaths')]) {
    const [source, target = source] = word.split(':');
    const from = plain(source!);
    if (from.startsWith('/'))
      paths.push({ path: plain(target!), source: from, why: `another file is mounted over it for ${unit}` });
  }
  const folder = `/run/credentials/${unit}`;
  for (const key of [
    'LoadCredential',
    'SetCredential',
    'LoadCredentialEncrypted',
    'SetCredentialEncrypted',
    'ImportCredential',
  ]) {
    for (const one of settings.list(key)) {
      const [id, path] = (settings.expand(one.value, one) ?? '').split(':');
      const isPlain = key === 'LoadCredential' && path?.startsWith('/');
      if (id)
        paths.push({
          path: `${folder}/${id}`,
          ...(isPlain ? { source: path! } : {}),
          why: `it is a credential of ${unit}`,
        });
    }
  }
  return paths;
}

const plain = (word: string): string => posix.normalize(word.replace(/^[-+]*/, '')).replace(/(?<=.)\/$/, '');

/** The deepest hidden path that contains a path. */
function coveringPath(path: string, hidden: readonly HiddenPath[]): HiddenPath | undefined {
  const covering = hidden.filter((one) => one.path === '/' || path === one.path || path.startsWith(`${one.path}/`));
  return covering.reduce<HiddenPath | undefined>(
    (deepest, one) => (deepest === undefined || one.path.length >= deepest.path.length ? one : deepest),
    undefined,
  );
}

/** Files as the service sees them: binds are followed, and unknown content is a gap. */
export function seenBy(files: FileView, hidden: readonly HiddenPath[]): FileView {
  if (hidden.length === 0) return files;
  const unclear = (path: string, why: string) => ({
    ok: false as const,
    gap: { reason: 'unclear' as const, subject: path, detail: why },
  });
  const read = <T>(path: string, ask: (path: string) => Reading<T>): Reading<T> => {
    const whole = posix.normalize(path);
    const covering = coveringPath(whole, hidden);
    if (covering?.source !== undefined) return ask(`${covering.source}${whole.slice(covering.path.length)}`);
    if (covering !== undefined) return unclear(path, covering.why);
    // A link may lead to a hidden path.
    const real = files.resolve(whole);
    const target = real.ok && real.value !== whole ? coveringPath(real.value, hidden) : undefined;
    if (target?.source !== undefined && real.ok) return ask(`${target.source}${real.value.slice(target.path.length)}`);
    return target === undefined ? ask(path) : unclear(path, target.why);
  };
  return {
    stat: (path) => read(path, files.stat),
    read: (path, limit) => read(path, (inner) => files.read(inner, limit)),
    head: (path, count) => read(path, (inner) => files.head(inner, count)),
    list: (path, limit) => read(path, (inner) => files.list(inner, limit)),
    resolve(path) {
      const whole = posix.normalize(path);
      const covering = coveringPath(whole, hidden);
      if (covering?.source === undefined) return read(path, files.resolve);
      const stat = files.stat(`${covering.source}${whole.slice(covering.path.length)}`);
      return stat.ok ? { ok: true, value: whole } : stat;
    },
  };
}
