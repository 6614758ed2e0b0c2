/** Why the server cannot listen on an address, as one sentence. */
import { isIPv6 } from 'node:net';
import { type ListenTarget, listenLabel } from './listen-address.js';

export class BindError extends Error {
  /** A later start may succeed without any change: the address is in use or does not exist yet. */
  readonly mayPass: boolean;

  constructor(code: string, target: ListenTarget) {
    super(`cannot listen on ${listenLabel(target)}: ${clause(code, target)}`);
    this.mayPass = passing.has(code) || noInterface(code, target) !== undefined;
  }
}

const passing = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN']);

/** The zone of an IPv6 address if this machine lacks that interface: bind(2) then fails with EINVAL or ENODEV. */
function noInterface(code: string, target: ListenTarget): string | undefined {
  if ((code !== 'EINVAL' && code !== 'ENODEV') || target.kind !== 'tcp') return undefined;
  return /%(.+)$/.exec(target.host ?? '')?.[1];
}

function clause(code: string, target: ListenTarget): string {
  const zone = noInterface(code, target);
  if (zone !== undefined) return `there is no interface ${zone}`;
  switch (code) {
    case 'EADDRINUSE':
      return 'another program already listens on it';
    case 'EACCES':
    case 'EPERM':
      // Node reports EACCES for a missing folder too.
      if (target.kind === 'unix') return 'permission denied or no such folder';
      return target.kind === 'tcp' && target.port > 0 && target.port < 1024
        ? 'permission denied, ports below 1024 need CAP_NET_BIND_SERVICE'
        : 'permission denied';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name cannot be resolved';
    case 'EBADF':
    case 'EINVAL':
    case 'ERR_INVALID_FD_TYPE':
      return target.kind === 'tcp' ? invalid(target.host) : 'it is not a listening stream socket';
    default:
      return code;
  }
}

function invalid(host = ''): string {
  return isIPv6(host) && /^fe[89ab]/i.test(host)
    ? 'a link-local address needs its interface, as in [fe80::1%eth0]:9117'
    : 'EINVAL';
}
