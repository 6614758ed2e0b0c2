/** The notation of endpoints, positions in files, processes and shell words in every view. Pure. */
import type { Endpoint, Owner, Position } from '../model/model.js';

/** `127.0.0.1:9000`, `[::1]:9000`, `*:9000`; without a port only the address. */
export function endpointText(address: string, port: number | undefined): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port === 0 ? '(random)' : port}`;
}

/** `udp *:9000, tcp 127.0.0.1:5044`; the first few, and the number of the others. */
export function endpointsText(endpoints: readonly Endpoint[], most = 5): string {
  const shown = endpoints.slice(0, most).map((e) => `${e.protocol} ${endpointText(e.address, e.port)}`);
  const left = endpoints.length - shown.length;
  return left > 0 ? `${shown.join(', ')} and ${left} more` : shown.join(', ');
}

/** `file:line`, `file` or the empty string. */
export function positionText(at: Position | undefined): string {
  if (at === undefined) return '';
  return at.line === undefined ? at.file : `${at.file}:${at.line}`;
}

/** The text as one word of a POSIX shell, quoted where needed. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `pid 4711 (rsyslogd)`. */
export function ownerText(owner: Pick<Owner, 'pid' | 'comm'>): string {
  return `pid ${owner.pid} (${owner.comm})`;
}
