/** Where a service sees other files than the host has (systemd.exec(5) "SANDBOXING", "CREDENTIALS"). */
import { posix } from 'node:path';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { Reading } from '../../model/model.js';
import type { UnitSettings } from './unit-settings.js';
import { splitWords } from './unit-words.js';

export interface HiddenPlace {
  /** As the service names it. */
  path: string;
  /** What is mounted there, as the host names it; absent: nothing that could be told. */
  source?: string;
  why: string;
}

export function hiddenPlaces(settings: UnitSettings, unit: string): HiddenPlace[] {
  const places: HiddenPlace[] = [];
  const hide = (why: string, ...paths: string[]) => places.push(...paths.map((path) => ({ path, why })));
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
      places.push({ path: plain(target!), source: from, why: `another file is mounted over it for ${unit}` });
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
        places.push({
          path: `${folder}/${id}`,
          ...(isPlain ? { source: path! } : {}),
          why: `it is a credential of ${unit}`,
        });
    }
  }
  return places;
}

const plain = (word: string): string => posix.normalize(word.replace(/^[-+]*/, '')).replace(/(?<=.)\/$/, '');

/** The place that decides about a path: the deepest one that holds it. */
function placeOf(path: string, places: readonly HiddenPlace[]): HiddenPlace | undefined {
  const holds = (place: HiddenPlace) => place.path === '/' || path === place.path || path.startsWith(`${place.path}/`);
  return places
    .filter(holds)
    .reduce<HiddenPlace | undefined>(
      (deepest, place) => (deepest === undefined || place.path.length >= deepest.path.length ? place : deepest),
      undefined,
    );
}

/** Files as the service sees them: binds are followed, and what cannot be told is a gap that says why. */
export function seenBy(files: FileView, places: readonly HiddenPlace[]): FileView {
  if (places.length === 0) return files;
  const hidden = (
    path: string,
    why: string,
  ): { ok: false; gap: { reason: 'unclear'; subject: string; detail: string } } => ({
    ok: false,
    gap: { reason: 'unclear', subject: path, detail: why },
  });
  const look = <T>(path: string, ask: (path: string) => Reading<T>): Reading<T> => {
    const whole = posix.normalize(path);
    const place = placeOf(whole, places);
    if (place?.source !== undefined) return ask(`${place.source}${whole.slice(place.path.length)}`);
    if (place !== undefined) return hidden(path, place.why);
    // A link may lead into a hidden place.
    const real = files.resolve(whole);
    const behind = real.ok && real.value !== whole ? placeOf(real.value, places) : undefined;
    if (behind?.source !== undefined && real.ok) return ask(`${behind.source}${real.value.slice(behind.path.length)}`);
    return behind === undefined ? ask(path) : hidden(path, behind.why);
  };
  return {
    stat: (path) => look(path, files.stat),
    read: (path, limit) => look(path, (inner) => files.read(inner, limit)),
    head: (path, count) => look(path, (inner) => files.head(inner, count)),
    list: (path, limit) => look(path, (inner) => files.list(inner, limit)),
    resolve(path) {
      const whole = posix.normalize(path);
      const place = placeOf(whole, places);
      if (place?.source === undefined) return look(path, files.resolve);
      const stat = files.stat(`${place.source}${whole.slice(place.path.length)}`);
      return stat.ok ? { ok: true, value: whole } : stat;
    },
  };
}
