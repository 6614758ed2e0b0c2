/**
 * The size of a UDP socket's receive buffer and how much still fits into it. `/proc/net/udp` has neither; both are derived
 * from socket(7) and `__udp_enqueue_schedule_skb` in net/ipv4/udp.c. Pure.
 */

/** Sysctls of the kernel, bytes; the same in every network namespace (there they can be read, not set). */
export interface BufferLimits {
  /** `net.core.rmem_max`. */
  rmemMax?: number;
  /** `net.core.rmem_default`. */
  rmemDefault?: number;
}

/** SOCK_MIN_RCVBUF on 64-bit kernels: a smaller request gets this. Bytes. */
const SMALLEST = 2304;

/**
 * Bytes. The kernel limits SO_RCVBUF to rmem_max, then doubles it; without SO_RCVBUF a socket gets rmem_default. Correct for
 * sockets opened since the limits were last changed. Undefined where a limit cannot be read.
 */
export function derivedReceiveBuffer(readBuffer: number | undefined, limits: BufferLimits): number | undefined {
  if (readBuffer === undefined || readBuffer === 0) return limits.rmemDefault;
  return limits.rmemMax === undefined ? undefined : Math.max(SMALLEST, 2 * Math.min(readBuffer, limits.rmemMax));
}

/**
 * Bytes that the kernel charges for one datagram, by its payload: the memory that it occupies (truesize), not its length.
 * Measured over loopback on Linux 6.18 (docs/sockets.md). The steps are the kernel's allocation sizes minus the headers and one
 * `skb_shared_info`; with IPv6 each step comes 13 bytes of payload earlier.
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
  // A longer datagram has pages of its own.
  return step?.[1] ?? payloadBytes + 832;
}

export interface Room {
  /** Free bytes. */
  free: number;
  /** Estimate: how many datagrams of that payload still fit. */
  datagrams: { payload: number; fit: number }[];
}

/** A short syslog line, a long one, a full Ethernet frame (netflow). */
const TYPICAL = [150, 500, 1400];

/**
 * An estimate, to be shown as one: the sizes of datagrams are unknown, network cards allocate differently from loopback, and the
 * kernel may still count up to a quarter of the buffer that Filebeat has already read.
 */
export function estimateRoom(queueBytes: number, bufferBytes: number): Room {
  const free = Math.max(0, bufferBytes - queueBytes);
  return {
    free,
    datagrams: TYPICAL.map((payload) => ({ payload, fit: Math.floor(free / chargePerDatagram(payload)) })),
  };
}
