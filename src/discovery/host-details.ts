/**
 * Facts of the host for the page (the one user of systeminformation, which runs programs for some of them: never on the
 * scrape path). Loaded when first asked for, kept, renewed in the background.
 */
import si from 'systeminformation';
import { type Clock, systemClock } from '../runtime/clock.js';

export interface HostDetails {
  hostname: string;
  /** `Debian GNU/Linux 12`. */
  system?: string;
  /** `6.1.0-18-amd64`. */
  kernel?: string;
  /** `x64`. */
  architecture?: string;
  cpus?: number;
  /** Seconds since the epoch. */
  bootTime?: number;
  /** Bytes. */
  memoryTotal?: number;
  memoryAvailable?: number;
}

export interface HostReader {
  /** What is known now, at once; starts a loading when there is nothing yet or it is old. */
  current(): HostDetails | undefined;
  /** Waits for the loading under way, or starts one when there is nothing fresh. */
  load(): Promise<HostDetails | undefined>;
}

const maxAgeSeconds = 60;

/** Never throws and never rejects: what can't be told is absent. */
export function createHostReader(clock: Clock = systemClock): HostReader {
  let details: HostDetails | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<HostDetails | undefined> | undefined;

  async function refresh(): Promise<HostDetails | undefined> {
    try {
      details = await readHost(clock.wall());
      loadedAt = clock.steady();
    } catch {
      // Facts for people only: the page does without them, and the next look tries again.
      loadedAt = clock.steady();
    }
    loading = undefined;
    return details;
  }

  const isFresh = () => clock.steady() - loadedAt < maxAgeSeconds;
  const load = () => {
    if (loading === undefined && isFresh()) return Promise.resolve(details);
    loading ??= refresh();
    return loading;
  };
  return {
    current() {
      if (!isFresh()) void load();
      return details;
    },
    load,
  };
}

async function readHost(now: number): Promise<HostDetails> {
  const [os, memory, cpu] = await Promise.all([si.osInfo(), si.mem(), si.cpu()]);
  const uptime = si.time().uptime;
  const system = [os.distro, os.release].filter((part) => part && part !== 'unknown').join(' ');
  return {
    hostname: os.hostname,
    ...(system ? { system } : {}),
    ...(os.kernel ? { kernel: os.kernel } : {}),
    ...(os.arch ? { architecture: os.arch } : {}),
    ...(cpu.cores > 0 ? { cpus: cpu.cores } : {}),
    ...(uptime > 0 ? { bootTime: Math.round(now - uptime) } : {}),
    ...(memory.total > 0 ? { memoryTotal: memory.total, memoryAvailable: memory.available } : {}),
  };
}
