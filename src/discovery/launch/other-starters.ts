/** Other starters of units: generators, and the managers of lingering users. They are reported, not followed. */
import { posix } from 'node:path';
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import type { Gap } from '../../model/model.js';
import { namesFilebeat } from './launch-context.js';
import { contentOf } from './programs.js';
import { lookUpUser } from './users.js';

const generatorFolders = [
  '/etc/systemd/system-generators',
  '/usr/local/lib/systemd/system-generators',
  '/run/systemd/system-generators',
];
const lingering = '/var/lib/systemd/linger';

export function otherStarters(files: FileView, processNames: readonly string[]): Gap[] {
  const list = (path: string) => {
    const names = files.list(path, limits.unitEntries);
    return names.ok ? names.value.map((name) => posix.join(path, name)) : [];
  };
  const isAboutFilebeat = (path: string, execOnly: boolean) => {
    const content = contentOf(path, { files });
    if (content.kind === 'program') return false;
    const lines = content.text.split('\n').filter((line) => !execOnly || /^\s*ExecStart=/.test(line));
    return lines.some((line) => namesFilebeat(line, { processNames }));
  };
  const generators = generatorFolders.flatMap(list).filter((path) => isAboutFilebeat(path, false));
  const users = list(lingering).map((path) => posix.basename(path));
  const theirs = users.flatMap((user) => {
    const account = lookUpUser(files, user);
    const own = typeof account === 'string' ? [] : [posix.join(account.home, '.config/systemd/user')];
    const folders = [...own, '/etc/systemd/user', '/usr/lib/systemd/user'];
    const linked = folders.flatMap((folder) => list(posix.join(folder, 'default.target.wants')));
    const units = linked.map((link) =>
      folders.map((folder) => posix.join(folder, posix.basename(link))).find((path) => files.stat(path).ok),
    );
    return units
      .flatMap((path) => (path !== undefined && isAboutFilebeat(path, true) ? [path] : []))
      .map((path) => ({ path, user }));
  });
  return [
    ...generators.map(
      (subject): Gap => ({
        reason: 'unclear',
        subject,
        detail: 'a generator that names a Filebeat may write a unit that starts one',
      }),
    ),
    ...theirs.map(
      ({ path, user }): Gap => ({
        reason: 'unclear',
        subject: path,
        detail: `the user manager of ${user}, who lingers, starts it; units of users are not followed`,
      }),
    ),
  ];
}
