/** The subject of a self-report: a process by pid and start time, and the socket of its stats endpoint. */
import { readFileSync } from 'node:fs';
import { parseStat } from '../../src/proc/process-files.js';

export const processOf = (pid: number) => ({
  pid,
  startTicks: parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))!.startTicks,
});

/** The TCP socket that listens on a port of 127.0.0.1, in our own network namespace. */
export function endpointAt(port: number) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const listens = new RegExp(`^ *\\d+: [0-9A-F]{8}:${hex} \\S+ 0A `);
  const row = readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .find((line) => listens.test(line));
  return { kind: 'tcp' as const, address: '127.0.0.1', port, inode: Number(row!.trim().split(/ +/)[9]) };
}
