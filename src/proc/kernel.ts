/**
 * Facts about the kernel: `/proc/sys/kernel/hostname`, `/proc/sys/net/core/rmem_*` and whether it has IPv6; see proc(5) and
 * socket(7).
 */
import type { HostFacts } from '../model/model.js';
import type { Boot } from './boot-clock.js';
import type { ProcFs } from './proc-fs.js';

/** `via`: a process whose `net/` shows whether the kernel has IPv6 (`self` on a real host). */
export function readHostFacts(procfs: ProcFs, boot: Boot, via = 'self'): HostFacts {
  const text = (path: string): string | undefined => {
    const reading = procfs.piece(path);
    return reading.ok ? reading.value.trim() : undefined;
  };
  const bytes = (path: string): number | undefined => {
    const value = text(path);
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
  };
  const rmemMax = bytes('sys/net/core/rmem_max');
  const rmemDefault = bytes('sys/net/core/rmem_default');
  const table = procfs.stat(`${via}/net/udp6`);
  return {
    hostname: text('sys/kernel/hostname') ?? '',
    ...(boot.sure && boot.time !== undefined && { bootTime: boot.time }),
    // After a boot with ipv6.disable=1 the table does not exist; any other failure to read it proves nothing.
    ipv6: table.ok || (table.gap.reason !== 'missing' && table.gap.reason !== 'vanished'),
    ...(rmemMax !== undefined && { rmemMax }),
    ...(rmemDefault !== undefined && { rmemDefault }),
  };
}
