/** The label `config`: the main configuration of an instance. */
import { readCommand } from '../../filebeat/config/command.js';
import { newestRelease, parseRelease } from '../../filebeat/releases/releases.js';
import { limits } from '../../model/limits.js';
import { cutText } from '../../runtime/cut-text.js';

/** The values of `-c` as given, joined by commas, or `filebeat.yml`. `version` matters: releases parse flags differently. */
export function configLabel(argv: readonly string[], version?: string): string {
  const read = readCommand(argv, parseRelease(version) ?? newestRelease);
  return cutText(read.kind === 'run' ? read.line.configFiles.join(',') : 'filebeat.yml', limits.textChars);
}
