/**
 * Facts of the host for pages. The only user of systeminformation, which runs programs for some of them: never on the scrape
 * path. They are loaded in the background when they are first needed, and again when they are a minute old.
 */
import si from 'systeminformation';
import { type Clock, systemClock } from '../runtime/clock.js';

export interface HostDetails {
  /** `Debian GNU/Linux 12`. */
  system?: string;
  /** `6.1.0-18-amd64`. */
  kernel?: string;
  /** `x64`. */
  architecture?: string;
  cpus?: number;
  /** Bytes. */
  memoryTotal?: number;
  memoryAvailable?: number;
}

export interface HostReader {
  /** Returns at once what is known. Loads in the background if there is nothing yet, or it is old. */
  current(): HostDetails | undefined;
}

const maxAgeSeconds = 60;

/** Never throws: unknown facts are absent. */
export function createHostReader(clock: Clock = systemClock): HostReader {
  let details: HostDetails | undefined;
  let loadedAt = Number.NEGATIVE_INFINITY;
  let isLoading = false;

  async function load(): Promise<void> {
    isLoading = true;
    // After a failure the page does without, and the next load tries again.
    details = await readHost().catch(() => details);
    loadedAt = clock.steady();
    isLoading = false;
  }

  return {
    current() {
      if (!isLoading && clock.steady() - loadedAt >= maxAgeSeconds) void load();
      return details;
    },
  };
}

async function readHost(): Promise<HostDetails> {
  const [os, memory, cpu] = await Promise.all([si.osInfo(), si.mem(), si.cpu()]);
  const system = [os.distro, os.release].filter((part) => part && part !== 'unknown').join(' ');
  return {
    ...(system ? { system } : {}),
    ...(os.kernel ? { kernel: os.kernel } : {}),
    ...(os.arch ? { architecture: os.arch } : {}),
    ...(cpu.cores > 0 ? { cpus: cpu.cores } : {}),
    ...(memory.total > 0 ? { memoryTotal: memory.total, memoryAvailable: memory.available } : {}),
  };
}
