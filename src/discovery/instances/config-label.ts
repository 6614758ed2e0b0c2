/** How the main configuration of an instance is named: label `config`. */
import { readCommand } from '../../filebeat/config/command.js';
import { newestRelease, parseRelease } from '../../filebeat/releases/releases.js';
import { limits } from '../../model/limits.js';
import { cutText } from '../../runtime/cut-text.js';

/** `-c` as given, comma-joined; `filebeat.yml` where there is none. Each release has rules of its own for flags. */
export function configLabel(argv: readonly string[], version?: string): string {
  const release = version === undefined ? undefined : parseRelease(version);
  const read = readCommand(argv, release ?? newestRelease);
  return cutText(read.kind === 'run' ? read.line.configFiles.join(',') : 'filebeat.yml', limits.textChars);
}
