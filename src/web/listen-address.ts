/** Where to listen: the values of `--web.listen-address`, and sockets that systemd opened (sd_listen_fds(3)). Pure. */
import { parseAddress } from '../filebeat/net/ip.js';

export type ListenTarget =
  /** Without a host: all addresses of both families. */
  | { kind: 'tcp'; host?: string; port: number }
  | { kind: 'unix'; path: string }
  | { kind: 'descriptor'; descriptor: number; name?: string };

/** `:9117`, `127.0.0.1:9117`, `[::1]:9117`, `name:9117`, `unix:/run/x.sock`. Undefined: invalid. */
export function parseListenAddress(text: string): ListenTarget | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    // sun_path holds 108 bytes with its final zero; Node would silently truncate a longer path.
    return path.startsWith('/') && !path.includes('\0') && Buffer.byteLength(path) < 108
      ? { kind: 'unix', path }
      : undefined;
  }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined)
    return bracketed.includes(':') && parseAddress(bracketed) ? { kind: 'tcp', host: bracketed, port } : undefined;
  if (!plain) return { kind: 'tcp', port };
  const isName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/.test(plain) && !/^[\d.]+$/.test(plain);
  return isName || parseAddress(plain) ? { kind: 'tcp', host: plain, port } : undefined;
}

export function listenLabel(target: ListenTarget): string {
  if (target.kind === 'unix') return `unix:${target.path}`;
  if (target.kind === 'descriptor') return `the socket ${target.name ?? target.descriptor} of systemd`;
  const { host = '', port } = target;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const firstDescriptor = 3;

/** The sockets that systemd opened for the process `pid`; empty if it opened none, or opened them for another process. */
export function activatedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): ListenTarget[] {
  const count = Number(environment['LISTEN_FDS'] ?? '0');
  if (environment['LISTEN_PID'] !== String(pid) || !Number.isInteger(count) || count < 1 || count > 1000) return [];
  const names = environment['LISTEN_FDNAMES']?.split(':') ?? [];
  return Array.from({ length: count }, (_, index) => {
    const name = names[index];
    return { kind: 'descriptor', descriptor: firstDescriptor + index, ...(name && { name }) };
  });
}
