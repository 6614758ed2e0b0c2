/**
 * The last `Exiting:` line of a Filebeat that does not run, from the log file that its last process had open or a newer one
 * beside it. The path comes from a descriptor of that process, never from a configuration.
 */
import { posix } from 'node:path';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { LastMessage } from '../../model/model.js';
import type { StoredReport } from '../stored-report.js';
import { readLogLine } from './log-line.js';

type Log = NonNullable<StoredReport['log']>;

export interface LastMessageReader {
  /** `all`: the logs of all instances. Undefined also if another instance writes files of the same name. */
  read(log: Log, all?: readonly Log[]): LastMessage | undefined;
}

const mostNames = 10_000;
/** Filebeat begins a new file at 10 MiB. */
const mostBytes = 12 * 1024 * 1024;
/** Time stamps are cut to milliseconds, and start times are known to some hundredths of a second. Seconds. */
const slack = 2;
/** Only a few lines follow an `Exiting:` line. */
const endBytes = 256 * 1024;

/** `filebeat-20261126-3.ndjson` (8.0 and later) → the same name with any day and number; `filebeat` (up to 7.17) → itself. */
function siblingsOf(name: string): RegExp {
  const stem = /^(.+)-\d{8}(?:-\d+)?\.ndjson$/.exec(name)?.[1];
  const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return stem === undefined
    ? new RegExp(`^${quoted(name)}$`)
    : new RegExp(`^${quoted(stem)}-\\d{8}(?:-\\d+)?\\.ndjson$`);
}

function isShared(log: Log, all: readonly Log[]): boolean {
  const siblings = siblingsOf(posix.basename(log.path));
  const folder = posix.dirname(log.path);
  return all.some(
    (one) => one !== log && posix.dirname(one.path) === folder && siblings.test(posix.basename(one.path)),
  );
}

export function createLastMessageReader(files: FileView): LastMessageReader {
  /** By path, valid as long as the file is unchanged. */
  const known = new Map<string, { signature: string; message: LastMessage | undefined }>();

  function newest(folder: string, pattern: RegExp): { path: string; signature: string } | undefined {
    const names = files.list(folder, mostNames);
    const matching = (names.ok ? names.value : []).flatMap((name) => {
      if (!pattern.test(name)) return [];
      const path = posix.join(folder, name);
      const stat = files.stat(path);
      return stat.ok && stat.value.kind === 'file' ? [{ path, ...stat.value }] : [];
    });
    return matching.sort((a, b) => b.mtime - a.mtime)[0];
  }

  return {
    read(log, all = []) {
      const { path, since } = log;
      if (isShared(log, all)) return undefined;
      const file = newest(posix.dirname(path), siblingsOf(posix.basename(path)));
      if (file === undefined) return undefined;
      let row = known.get(path);
      if (row?.signature !== `${file.path} ${file.signature}`) {
        const content = files.read(file.path, mostBytes);
        const message = content.ok
          ? lastExit(Buffer.from(content.value.bytes).subarray(-endBytes).toString('utf8'))
          : undefined;
        row = { signature: `${file.path} ${file.signature}`, message };
        known.set(path, row);
      }
      return row.message !== undefined && row.message.at >= since - slack ? row.message : undefined;
    },
  };
}

/** The `Exiting:` line of the last process in the text. */
export function lastExit(text: string): LastMessage | undefined {
  let message: LastMessage | undefined;
  for (const line of text.split('\n')) {
    const fact = readLogLine(line);
    if (fact?.kind === 'event-data') return undefined;
    if (fact?.kind === 'start') message = undefined;
    if (fact?.kind === 'exiting') message = { at: fact.at, why: fact.why };
  }
  return message;
}
