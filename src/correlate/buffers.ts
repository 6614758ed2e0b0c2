/**
 * How large a UDP socket's receive buffer is and how much still fits into it. The kernel tells neither in
 * `/proc/net/udp`: both are worked out as socket(7) and `__udp_enqueue_schedule_skb` in net/ipv4/udp.c have it. Pure.
 */

/** Sysctls of the kernel, bytes; the same in every network namespace (there they can be read, not set). */
export interface BufferLimits {
  /** `net.core.rmem_max`. */
  rmemMax?: number;
  /** `net.core.rmem_default`. */
  rmemDefault?: number;
}

/** SOCK_MIN_RCVBUF on 64-bit kernels: who asks for less gets this. */
const LEAST = 2304;

/**
 * Bytes: what was asked for by SO_RCVBUF is cut to rmem_max, then doubled; who asks for nothing gets rmem_default as it
 * is. Derived: true of a socket opened since the limits were last changed. Undefined where a limit cannot be read.
 */
export function derivedReceiveBuffer(readBuffer: number | undefined, limits: BufferLimits): number | undefined {
  if (readBuffer === undefined || readBuffer === 0) return limits.rmemDefault;
  return limits.rmemMax === undefined ? undefined : Math.max(LEAST, 2 * Math.min(readBuffer, limits.rmemMax));
}

/**
 * What one datagram is charged, by its payload, bytes: the memory it occupies (truesize), not its length. Measured over
 * loopback on Linux 6.18 (docs/sockets.md); the steps are the kernel's allocation sizes, less the headers and one
 * `skb_shared_info`. IPv6 takes its step 13 bytes of payload earlier.
 */
const STEPS: readonly [payload: number, charge: number][] = [
  [184, 832],
  [632, 1280],
  [1656, 2304],
  [3736, 4352],
  [7836, 8448],
  [16_000, 16_640],
];

export function chargePerDatagram(payloadBytes: number): number {
  const step = STEPS.find(([payload]) => payloadBytes <= payload);
  // What is longer lies in pages of its own.
  return step?.[1] ?? payloadBytes + 832;
}

export interface Room {
  /** Bytes that are not taken. */
  free: number;
  /** Estimates: datagrams of that payload that still fit before the kernel drops. */
  datagrams: { payload: number; fit: number }[];
}

/** A short syslog line, a long one, a full Ethernet frame (netflow). */
const TYPICAL = [150, 500, 1400];

/**
 * An estimate, to be marked as one: senders' sizes are unknown, network cards round up differently from loopback, and
 * while Filebeat reads, up to a quarter of the buffer that it has already emptied may not be free yet.
 */
export function estimateRoom(queueBytes: number, bufferBytes: number): Room {
  const free = Math.max(0, bufferBytes - queueBytes);
  return {
    free,
    datagrams: TYPICAL.map((payload) => ({ payload, fit: Math.floor(free / chargePerDatagram(payload)) })),
  };
}
