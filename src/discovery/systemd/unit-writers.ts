/** Units that write files during the boot: the present content of such a path does not count for the next start. */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { readText, type SourcedAssignment } from './unit-files/unit-settings.js';

export interface Writer {
  unit: string;
  /** Whether its commands, or a script that they name, contain the path and a command that writes. */
  writes(path: string): boolean;
}

/** Commands and operators that write files. */
const writing =
  />|\b(?:cp|mv|ln|tee|install|dd|rsync|curl|wget|sed\s+-i|envsubst|render|template|generate|consul-template|confd|gomplate|tar|unzip)\b/;

export function writersOf(
  units: readonly { name: string; assignments: readonly SourcedAssignment[] }[],
  files: FileView,
): Writer[] {
  return units.flatMap(({ name, assignments }) => {
    const lines = assignments.filter(
      ({ section, key }) => section === 'Service' && /^Exec(?:Start|StartPre|StartPost|Condition)$/.test(key),
    );
    if (lines.length === 0) return [];
    const texts = lines.map(({ value }) => value);
    let scripts: string[] | undefined;
    const isIn = (path: string) => (text: string) =>
      text.split('\n').some((line) => !/^\s*#/.test(line) && line.includes(path) && writing.test(line));
    return [
      {
        unit: name,
        writes(path: string) {
          if (texts.some(isIn(path))) return true;
          scripts ??= texts.flatMap((text) => scriptsOf(text, files));
          return scripts.some(isIn(path));
        },
      },
    ];
  });
}

function scriptsOf(text: string, files: FileView): string[] {
  return [...text.matchAll(/(?<![\w.])\/[\w./@+-]+/g)].flatMap(([path]) => {
    const stat = files.stat(path);
    if (!stat.ok || stat.value.kind !== 'file' || stat.value.size > limits.scriptBytes) return [];
    const read = readText(files, path);
    return 'gap' in read || !read.text.startsWith('#!') ? [] : [read.text];
  });
}
