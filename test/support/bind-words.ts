/**
 * `udp 0.0.0.0:9000`, `tcp4 127.0.0.1:5044`, `udp6 [::1]:514`: the sockets of a stand-in, in the notation of Go's net
 * package and with its result on a dual-stack Linux: any wildcard with plain `udp` or `tcp` is one IPv6
 * socket for both families.
 */
import type { Protocol, Target } from '../../src/model/model.js';

export const AF_INET = 2;
export const AF_INET6 = 10;

export interface Bind {
  protocol: Protocol;
  family: typeof AF_INET | typeof AF_INET6;
  v6only: boolean;
  /** struct sockaddr_in or sockaddr_in6. */
  sockaddr: Buffer;
}

export function parseBind(words: string): Bind {
  const match = /^(udp|tcp)([46]?) (.*):(\d+)$/.exec(words);
  if (!match) throw new Error(`not an address to bind: ${words}`);
  const [, protocol, family, host, port] = match as unknown as [string, Protocol, string, string, string];
  const address = host.replace(/^\[(.*)\]$/, '$1');
  const wildcard = address === '' || address === '::' || (address === '0.0.0.0' && family !== '4');
  const v6 = family === '6' || (family === '' && (wildcard || address.includes(':')));
  if (v6) {
    const sockaddr = Buffer.alloc(28);
    sockaddr.writeUInt16LE(AF_INET6, 0);
    sockaddr.writeUInt16BE(Number(port), 2);
    if (!wildcard) ipv6Bytes(address).copy(sockaddr, 8);
    return { protocol, family: AF_INET6, v6only: family === '6' || !wildcard, sockaddr };
  }
  const sockaddr = Buffer.alloc(16);
  sockaddr.writeUInt16LE(AF_INET, 0);
  sockaddr.writeUInt16BE(Number(port), 2);
  Buffer.from((wildcard ? '0.0.0.0' : address).split('.').map(Number)).copy(sockaddr, 4);
  return { protocol, family: AF_INET, v6only: false, sockaddr };
}

/** The notation of a listener's socket; undefined if it has none. */
export function bindOf(protocol: Protocol, target: Target): string | undefined {
  if (target.kind !== 'socket' && target.kind !== 'random') return undefined;
  const port = target.kind === 'socket' ? target.port : 0;
  if (target.family === 4) return `${protocol}4 ${target.address}:${port}`;
  return `${protocol}${target.serves === 'any' ? '' : '6'} [${target.address}]:${port}`;
}

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [Number.parseInt(group, 16)];
          const [a, b, c, d] = group.split('.').map(Number) as [number, number, number, number];
          return [(a << 8) | b, (c << 8) | d];
        });
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const all = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}
