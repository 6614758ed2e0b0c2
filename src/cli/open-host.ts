/** Builds the reporter that all commands use: settings, state file and scanner, from the flags. */
import type { PredictOptions } from '../filebeat/predict.js';
import { isOnlyRemembered } from '../model/instance-rules.js';
import type { Prediction, Snapshot } from '../model/model.js';
import type { Reporter } from '../report/reporter.js';
import { systemClock } from '../runtime/clock.js';
import { defectText } from '../runtime/defect.js';
import type { Logger } from '../runtime/log.js';
import type { Scanner, ScannerOptions } from '../scan/host-scan.js';
import { ScanFailure } from '../scan/scan-failure.js';
import type { Settings } from '../settings/settings.js';
import type { Flags } from './flags.js';
import { readSettings } from './read-settings.js';
import { StartError } from './start-error.js';

type Done = { ok: true } | { ok: false; message: string };

export interface Host {
  reporter: Reporter;
  settings(): Settings;
  /** Reads the settings file again. `message`: why it is invalid; the previous settings then stay in use. */
  reload(): Promise<Done>;
  /** Forgets a remembered instance; of one that is still expected, only its learned listeners. */
  forget(name: string): Promise<Done>;
  /** Predicts an instance (`Instance.id` of the last report) under another release. Undefined: it is only remembered, without files to read. */
  predictAgain(id: string, options: PredictOptions): Prediction | undefined;
  /** Writes the state file. False: a thread hangs in a read, and the process cannot exit by itself. */
  close(): Promise<boolean>;
}

export interface HostOptions {
  flags: Flags;
  log: Logger;
  /** Only one scan will be made: nothing is written, and the age of processes replaces a comparison with earlier scans. */
  isSingleScan: boolean;
  /** Write to the state file. */
  remember: boolean;
}

interface HostScanner extends Scanner {
  predictAgain: Host['predictAgain'];
  /** Number of threads that hang in a read. */
  blocked(): number;
}

/** A single scan runs in this thread; a server scans in a thread of its own. Each loads only the code that it needs. */
async function openScanner(
  { flags, log, isSingleScan, remember }: HostOptions,
  settings: () => Settings,
): Promise<HostScanner> {
  const options: ScannerOptions = {
    procfs: flags['path.procfs'],
    rootfs: flags['path.rootfs'],
    unchecked: flags['path.unchecked'],
    stateFile: flags['state.file'],
    remember,
    grace: flags['scan.grace'],
    isSingleScan,
  };
  if (isSingleScan) {
    const { createScanner } = await import('../scan/host-scan.js');
    return { ...createScanner(options, settings, (level, message) => log[level](message)), blocked: () => 0 };
  }
  const { startScanThread } = await import('../scan/thread/supervisor.js');
  return { ...startScanThread({ scanner: options, settings, log }), predictAgain: () => undefined };
}

/** Logs exceeded limits once, and once when they no longer apply. */
function logLimits({ gaps }: Snapshot, log: Logger): void {
  const limits = gaps
    .filter(({ reason }) => reason === 'limit')
    .map(({ subject, detail }) => `${subject}: ${detail ?? ''}`);
  const shown = limits.slice(0, 5).join('; ') + (limits.length > 5 ? `; ${limits.length - 5} more` : '');
  const fields = () => ({ limits: shown || undefined });
  const line =
    limits.length > 0
      ? { level: 'warn' as const, message: 'limits exceeded, the scan is incomplete', fields }
      : { level: 'info' as const, message: 'the scan is complete again', fields };
  log.change('limits', shown, line, '');
}

function thresholdsOf({ thresholds }: Settings, flags: Flags, isSingleScan: boolean) {
  const { receiveQueueRatio, frozenAfter, stalledAfter } = thresholds;
  return { receiveQueueRatio, frozenAfter, stalledAfter, grace: flags['scan.grace'], isSingleScan };
}

/** Whether an instance of this name runs or is expected to. */
export function isStillExpected({ instances }: Snapshot, name: string): boolean {
  const instance = instances.find((one) => one.name === name);
  return instance !== undefined && !isOnlyRemembered(instance);
}

/** Throws `StartError`. */
export async function openHost(options: HostOptions): Promise<Host> {
  const { flags, log, isSingleScan } = options;
  let settings = await readSettings(flags['config.file']);
  let closing = false;
  const scanner = await openScanner(options, () => settings);
  // Only now: the scanning thread loads its part meanwhile.
  const { createReporter } = await import('../report/reporter.js');
  const reporter = createReporter(scanner.take, {
    clock: systemClock,
    freshness: isSingleScan ? 0 : flags['scan.freshness'],
    thresholds: () => thresholdsOf(settings, flags, isSingleScan),
    onReport: ({ snapshot }) => {
      log.change('scan', 'ok', { level: 'info', message: 'scans succeed again' }, 'ok');
      logLimits(snapshot, log);
    },
    onError: (error) => {
      // Closing aborts a scan that is under way.
      if (closing) return;
      const text = error instanceof ScanFailure ? error.message : defectText(error);
      log.change('scan', text, { level: 'error', message: 'the scan failed', fields: () => ({ error: text }) });
    },
  });

  return {
    reporter,
    settings: () => settings,
    async reload() {
      try {
        settings = await readSettings(flags['config.file']);
        log.info('settings reloaded');
        reporter.outdate();
        return { ok: true };
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        log.error('settings not reloaded, the previous ones stay in use', () => ({ error: error.message }));
        return { ok: false, message: error.message };
      }
    },
    async forget(name) {
      // Needs a new scan: the last report may be out of date.
      reporter.outdate();
      const isExpected = isStillExpected((await reporter.get()).snapshot, name);
      if (!(await scanner.forget(name, isExpected)))
        return {
          ok: false,
          message: isExpected
            ? `${name} is still expected to run and has no learned port to forget.`
            : 'There is no remembered instance of that name.',
        };
      reporter.outdate();
      return { ok: true };
    },
    predictAgain: scanner.predictAgain,
    async close() {
      closing = true;
      await scanner.close();
      return scanner.blocked() === 0;
    },
  };
}
