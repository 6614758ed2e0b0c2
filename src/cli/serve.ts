/** `serve`: the HTTP server until a signal ends it. */
import type { HostReader } from '../discovery/host-details.js';
import { isHeapExhausted } from '../runtime/heap.js';
import type { Logger } from '../runtime/log.js';
import { BindError } from '../web/bind-error.js';
import type { ListenTarget } from '../web/listen-address.js';
import { bytes } from '../words/figures.js';
import type { Flags } from './flags.js';
import { openHost } from './open-host.js';
import { StartError } from './start-error.js';
import { version } from './version.js';

export interface Running {
  /**
   * Stops accepting, lets requests finish for at most `seconds`, writes the state file. False: a thread hangs in a read,
   * and the process cannot exit by itself.
   */
  stop(seconds: number): Promise<boolean>;
  reload(): void;
}

/**
 * Facts about the host, for pages. The reader runs programs, so the first page loads it and does not wait for it: that
 * page is shown without these facts, the next one has them.
 */
function createHostFacts(): () => Promise<(readonly [string, string])[]> {
  let reader: Promise<HostReader> | undefined;
  return async () => {
    reader ??= import('../discovery/host-details.js').then(({ createHostReader }) => createHostReader());
    const details = (await reader).current();
    if (details === undefined) return [];
    const { system, kernel, architecture, cpus, memoryTotal, memoryAvailable } = details;
    const memory =
      memoryTotal === undefined
        ? undefined
        : `${bytes(memoryTotal)}${memoryAvailable === undefined ? '' : `, ${bytes(memoryAvailable)} available`}`;
    const rows: [string, string | undefined][] = [
      ['System', system],
      ['Kernel', kernel],
      ['Architecture', architecture],
      ['CPUs', cpus === undefined ? undefined : String(cpus)],
      ['Memory', memory],
    ];
    return rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]));
  };
}

/**
 * Throws `StartError`. `activated`: sockets that systemd opened; they replace `--web.listen-address`. `exhausted` is
 * called when the heap is almost full.
 */
export async function serve(
  flags: Flags,
  log: Logger,
  activated: readonly ListenTarget[] = [],
  exhausted: () => void = () => undefined,
): Promise<Running> {
  const host = await openHost({ flags, log, isSingleScan: false, remember: true });
  // Imported only now, while the scan thread loads its own code.
  const [{ createApp }, { listen }] = await Promise.all([import('../exporter/server.js'), import('../web/listen.js')]);
  const nodeMetrics = flags['collector.nodejs']
    ? await (await import('../exporter/metrics/metrics.js')).createNodeMetrics()
    : undefined;
  const app = createApp({
    getReport: async (withinMs) => {
      if (isHeapExhausted()) exhausted();
      return host.reporter.get(withinMs);
    },
    isReady: () => host.reporter.latest()?.snapshot.usable === true,
    routePrefix: flags['web.route-prefix'] ?? flags['web.external-url']?.path ?? '',
    telemetryPath: flags['web.telemetry-path'],
    metrics: () => ({ version, nodeVersion: process.version, legacyPortMetric: host.settings().legacyPortMetric }),
    ...(nodeMetrics === undefined ? {} : { nodeMetrics }),
    maxRequests: flags['web.max-requests'],
    hostFacts: createHostFacts(),
    ...(flags['web.enable-lifecycle'] ? { lifecycle: { reload: host.reload, forget: host.forget } } : {}),
  });
  const server = await listen(app, {
    targets: activated.length > 0 ? activated : flags['web.listen-address'],
    // An empty path means no file, as in the exporter-toolkit.
    configFile: flags['web.config.file'] || undefined,
    externalHost: flags['web.external-url']?.host,
    log: (level, message) => log[level](message),
  }).catch(async (error: Error) => {
    await host.close();
    throw new StartError(error.message, error instanceof BindError && error.mayPass);
  });
  for (const address of server.addresses) log.info('listening', () => ({ address, version }));
  // The first scan reads everything: started now, it is done before the first scrape. A failure is logged and shown by /-/ready.
  host.reporter.get().catch(() => undefined);
  // Compresses the first answer; loaded while the first scan runs.
  void import('node:zlib');
  return {
    reload: () => void host.reload(),
    async stop(seconds) {
      await server.close(seconds);
      return host.close();
    },
  };
}
