/**
 * Where the stats endpoint of a process can be queried: only at a socket that the process itself holds. The scan has found a
 * TCP socket already; a unix socket is a row of `/proc/<pid>/net/unix` (unix(7)) whose inode is among its descriptors.
 */
import { isSameProcess } from '../../model/instance-rules.js';
import type { ProcessId } from '../../model/model.js';
import { openFileView } from '../../proc/files/root-files.js';
import { type ProcFs, statOf } from '../../proc/proc-fs.js';
import { parseSocketLink } from '../../proc/process-files.js';
import type { StatsSocket, Subject } from '../subject.js';
import type { EndpointTarget } from './endpoint-client.js';

export interface EndpointTargets {
  /** Undefined: the process holds no such socket. */
  find(process: ProcessId, stats: StatsSocket): EndpointTarget | undefined;
  /** It is still the same process, and still holds the socket. */
  holds(process: ProcessId, stats: StatsSocket): boolean;
  /** The uuid of `meta.json` in path.data, with which the endpoint answers; undefined: unreadable. */
  uuidOf(subject: Subject): string | undefined;
}

const mostDescriptors = 4096;
const longestMeta = 64 * 1024;

export function createEndpointTargets(procfs: ProcFs): EndpointTargets {
  const viewOf = (pid: number) => openFileView(`${procfs.root}/${pid}/root`);

  function inodesOf(pid: number): Set<number> {
    const names = procfs.list(`${pid}/fd`);
    const inodes = (names.ok ? names.value : []).slice(0, mostDescriptors).flatMap((fd) => {
      const link = procfs.link(`${pid}/fd/${fd}`);
      return (link.ok ? parseSocketLink(link.value) : undefined) ?? [];
    });
    return new Set(inodes);
  }

  /** The process holds the only socket that listens on this path. */
  function holdsUnix(pid: number, path: string): boolean {
    const table = procfs.text(`${pid}/net/unix`);
    const inodes = table.ok ? listeningAt(table.value, path) : [];
    return inodes.length === 1 && inodesOf(pid).has(inodes[0]!);
  }

  return {
    find(process, stats) {
      if (stats.kind === 'tcp') return { address: stats.address, port: stats.port };
      const { pid } = process;
      if (!holdsUnix(pid, stats.path)) return undefined;
      // A symbolic link in the path would be followed in the exporter's own root.
      const resolved = viewOf(pid).resolve(stats.path);
      if (!resolved.ok || resolved.value !== stats.path) return undefined;
      return { path: `${procfs.root}/${pid}/root${stats.path}` };
    },
    holds(process, stats) {
      const { pid } = process;
      const isHeld = stats.kind === 'tcp' ? inodesOf(pid).has(stats.inode) : holdsUnix(pid, stats.path);
      return isHeld && isSameProcess(statOf(procfs, pid), process);
    },
    uuidOf({ process, data }) {
      const meta = viewOf(process.pid).read(`${data}/meta.json`, longestMeta);
      if (!meta.ok) return undefined;
      return /"uuid"\s*:\s*"([\w-]{1,64})"/.exec(Buffer.from(meta.value.bytes).toString('utf8'))?.[1];
    },
  };
}

/**
 * Inodes of the stream sockets that listen on `path`:
 * `0000000000000000: 00000002 00000000 00010000 0001 01 31337 /run/filebeat/fb.sock`, flag 10000 is __SO_ACCEPTCON, see proc(5).
 */
export function listeningAt(table: string, path: string): number[] {
  return table.split('\n').flatMap((row) => {
    const match = /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) 0001 [0-9A-F]{2} +(\d+) (.*)$/i.exec(row);
    if (match === null || match[3] !== path) return [];
    return (Number.parseInt(match[1]!, 16) & 0x10000) === 0 ? [] : [Number(match[2])];
  });
}
