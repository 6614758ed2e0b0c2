/** Which of the files that a process has open is its log: no file name, mount or rotation rule has to be known. */
import type { Gap, Reading } from '../../model/model.js';
import type { ProcFs } from '../../proc/proc-fs.js';

export interface OpenLog {
  /** Name in `/proc/<pid>/fd`. */
  descriptor: string;
  /** As the process sees it. */
  path: string;
  dev: number;
  ino: number;
  /** Bytes. */
  size: number;
}

const mostDescriptors = 4096;
/** How much of the end of a file is read to see whether it is a log. */
const probeBytes = 256 * 1024;

/**
 * A regular file that is open for writing only and contains lines of a log. The registry and the files of the file output are
 * open in the same way, so the content decides; of several, one below `logs` comes first. Undefined: it has none.
 */
export function findLog(procfs: ProcFs, pid: number, logs: string): Reading<OpenLog | undefined> {
  const names = procfs.list(`${pid}/fd`);
  // Unreadable descriptors are a gap of the socket owners already.
  if (!names.ok) return { ok: true, value: undefined };
  const candidates = names.value.slice(0, mostDescriptors).flatMap((descriptor) => {
    const link = procfs.link(`${pid}/fd/${descriptor}`);
    if (!link.ok || !link.value.startsWith('/') || /\/registry\/|events-data|^\/dev\/|^\/proc\//.test(link.value))
      return [];
    return [{ descriptor, path: link.value }];
  });
  const isBelow = ({ path }: { path: string }) => Number(path.startsWith(`${logs}/`));
  let denied: Gap | undefined;
  for (const { descriptor, path } of candidates.sort((a, b) => isBelow(b) - isBelow(a))) {
    const info = procfs.piece(`${pid}/fdinfo/${descriptor}`);
    if (!info.ok || !isWriteOnly(info.value)) continue;
    const stat = procfs.stat(`${pid}/fd/${descriptor}`);
    if (!stat.ok) continue;
    const { dev, ino, size } = stat.value;
    const end = procfs.bytes(`${pid}/fd/${descriptor}`, Math.max(0, size - probeBytes), probeBytes);
    if (end.ok && isLog(end.value)) return { ok: true, value: { descriptor, path, dev, ino, size } };
    if (!end.ok && end.gap.reason === 'denied') denied = { ...end.gap, detail: 'its log may not be read' };
  }
  return denied === undefined ? { ok: true, value: undefined } : { ok: false, gap: denied };
}

/** `flags:\t02100001`: octal; the lowest two bits are the access mode (proc(5)). */
function isWriteOnly(fdinfo: string): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(fdinfo)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) === 1;
}

/** By its last whole lines. Events of the file output contain `@metadata`, those of the event log `log.type`. */
function isLog(bytes: Buffer): boolean {
  const lines = bytes.toString('utf8').split('\n').slice(0, -1).slice(-20);
  const isEvent = (line: string) =>
    line.startsWith('{') && (line.includes('"@metadata"') || line.includes('"log.type":"event"'));
  return !lines.some(isEvent) && lines.some(isLogLine);
}

function isLogLine(line: string): boolean {
  if (!line.startsWith('{'))
    return /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d{4})\t(?:DEBUG|INFO|WARN|ERROR|CRITICAL|FATAL|PANIC)\t/.test(line);
  return (
    (/"log\.level":"/.test(line) && /"@timestamp":"/.test(line)) ||
    (/"level":"/.test(line) && /"timestamp":"/.test(line))
  );
}
