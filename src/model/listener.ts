/** Listeners of a configuration: endpoints, and the target that each configured host becomes. */
import type { Fault, Position } from './gap.js';

export type Protocol = 'udp' | 'tcp';

/** The table of a socket: 4 is `/proc/<pid>/net/udp`, 6 is `…/udp6`. A dual-stack wildcard is a row of 6. */
export type Family = 4 | 6;

/** An endpoint as in labels. */
export interface Endpoint {
  protocol: Protocol;
  address: string;
  port?: number;
}

/** What a configured host becomes (Go's net package under Filebeat, Linux). */
export type Target =
  /** One socket. `serves` says what the configuration asked for; `any` = both families by a dual-stack wildcard; `reuse`: SO_REUSEADDR (multicast), several can share it. */
  | { kind: 'socket'; family: Family; address: string; port: number; serves: 'ipv4' | 'ipv6' | 'any'; reuse?: true }
  /** Port 0 or none: the system picks. */
  | { kind: 'random'; family: Family; address: string; serves: 'ipv4' | 'ipv6' | 'any'; reuse?: true }
  /** A name that cannot be resolved here: match by port only. */
  | { kind: 'name'; port: number }
  /** Depends on something unknown to the exporter. */
  | { kind: 'unresolved'; why: UnresolvedWhy }
  /** Never becomes a socket; Filebeat keeps running without it. */
  | { kind: 'invalid'; why: InvalidWhy };

/** Why the exporter cannot know what a host becomes. */
export type UnresolvedWhy = 'keystore' | 'variable' | 'service-name' | 'ambiguous';

/** Why a host can never become a socket. */
export type InvalidWhy =
  | 'missing-port'
  | 'too-many-colons'
  | 'bad-port'
  | 'unknown-service'
  | 'bad-host'
  | 'no-such-name'
  | 'wrong-family'
  | 'bad-option';

/** What an input does after a failed bind (depends on type and release). */
export type BindRetry = 'never' | 'busy' | 'every-10s' | 'deaf';

/** A socket that an instance's configuration declares. */
export interface Listener {
  protocol: Protocol;
  /** The `address` label: resolved address, `*` for a dual-stack wildcard, names and multicast groups as configured. */
  address: string;
  /** 0 = random; absent when the host has no usable port. */
  port?: number;
  target: Target;
  /** `udp`, `syslog`, `netflow`, `tcp`, `http_endpoint`, `lumberjack`, `http`, `module/fileset`, `learned`. */
  input: string;
  declaredIn: Position;
  /** Set when Filebeat reloads the declaring file by itself. */
  reload?: {
    periodSeconds: number;
    /** This release usually loses the port when its entry is edited (before 7.17.6 and 8.3.3). */
    losesPort?: true;
  };
  /** `read_buffer` in bytes, where the release honours it. */
  readBuffer?: number;
  retry: BindRetry;
  /** Sockets of a fileset with a large script open up to 25 s after the start. */
  slowStart?: true;
  /** Sentences for `explain`: what was overridden by what, what was assumed. Never quote values. */
  notes?: string[];
  /** Inputs that share the socket by design (http_endpoint with several urls). */
  shares?: true;
  /** Filebeat starts only one, at random, of the listeners with the same mark (release 8.10: equal `id`). */
  rival?: string;
  /** Why Filebeat refuses it while it keeps running. */
  refused?: Fault;
}
