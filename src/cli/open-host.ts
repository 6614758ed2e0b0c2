/** The host as the commands use it: settings, memory and the reporter put together from flags. */
import type { PredictOptions } from '../filebeat/predict.js';
import type { Prediction, Snapshot } from '../model/model.js';
import { createReporter, type Reporter } from '../report/reporter.js';
import { systemClock } from '../runtime/clock.js';
import { defectText } from '../runtime/defect.js';
import type { Logger } from '../runtime/log.js';
import type { ScannerOptions } from '../scan/host-scan.js';
import { ScanFailure } from '../scan/scan-failure.js';
import type { Settings } from '../settings/settings.js';
import type { Flags } from './flags.js';
import { readSettings } from './read-settings.js';
import { StartError } from './start-error.js';

export interface Host {
  reporter: Reporter;
  settings(): Settings;
  /** Reads the settings file again; when it is bad the old settings stay, and the sentence says why. */
  reload(): { ok: true } | { ok: false; message: string };
  /** Forgets a remembered instance, or learned listeners of one that runs or ought to. */
  forget(name: string): Promise<{ ok: true } | { ok: false; message: string }>;
  /**
   * The same instance (`Instance.id` of the last report) under another release. Undefined: nothing but the memory
   * knows it, so there are no files to ask.
   */
  predictAgain(id: string, options: PredictOptions): Prediction | undefined;
  /** Writes what must outlive the process. False: a read hangs, and the process cannot end by itself. */
  close(): Promise<boolean>;
}

export interface HostOptions {
  flags: Flags;
  log: Logger;
  /** One look alone: nothing is written, and what would need a second look is judged by the age of processes. */
  isSingleScan: boolean;
  /** Write to the state file. */
  remember: boolean;
}

/** What was left out for its size is said once, when it begins and when it is over. */
function logLimits({ gaps }: Snapshot, log: Logger): void {
  const limits = gaps
    .filter(({ reason }) => reason === 'limit')
    .map(({ subject, detail }) => `${subject}: ${detail ?? ''}`);
  const shown = limits.slice(0, 5).join('; ') + (limits.length > 5 ? `; ${limits.length - 5} more` : '');
  const level = limits.length > 0 ? 'warn' : 'info';
  log.change(
    'limits',
    shown,
    level,
    limits.length > 0 ? 'not everything was looked at' : 'everything is looked at again',
    () => ({ limits: shown || undefined }),
    '',
  );
}

/** Throws `StartError`. What looks is loaded only in the thread that looks. */
export async function openHost({ flags, log, isSingleScan, remember }: HostOptions): Promise<Host> {
  let settings = readSettings(flags['config.file']);
  const options: ScannerOptions = {
    procfs: flags['path.procfs'],
    rootfs: flags['path.rootfs'],
    unchecked: flags['path.unchecked'],
    stateFile: flags['state.file'],
    remember,
    grace: flags['scan.grace'],
    isSingleScan: isSingleScan,
  };
  const near = isSingleScan
    ? (await import('../scan/host-scan.js')).createScanner(
        options,
        () => settings,
        (level, message) => log[level](message),
      )
    : undefined;
  const far = isSingleScan
    ? undefined
    : (await import('../scan/thread/supervisor.js')).startScanThread({
        scanner: options,
        settings: () => settings,
        log,
      });
  const look = (near ?? far)!;
  let closing = false;
  const reporter = createReporter(look.take, {
    clock: systemClock,
    freshness: isSingleScan ? 0 : (flags['scan.freshness'] ?? 0),
    thresholds: () => ({
      receiveQueueRatio: settings.thresholds.receiveQueueRatio,
      frozenAfter: settings.thresholds.frozenAfter,
      stalledAfter: settings.thresholds.stalledAfter,
      grace: flags['scan.grace'],
      isSingleScan: isSingleScan,
    }),
    onReport: ({ snapshot }) => {
      log.change('scan', 'ok', 'info', 'scans succeed again', undefined, 'ok');
      logLimits(snapshot, log);
    },
    onError: (error) => {
      // A scan that is under way at the end is ended with it.
      if (closing) return;
      const what = error instanceof ScanFailure ? error.message : defectText(error);
      log.change('scan', what, 'error', 'the scan failed', () => ({ error: what }));
    },
  });

  return {
    reporter,
    settings: () => settings,
    reload() {
      try {
        settings = readSettings(flags['config.file']);
        log.info('settings read');
        reporter.outdate();
        return { ok: true };
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        log.error('the settings stay as they were', () => ({ error: error.message }));
        return { ok: false, message: error.message };
      }
    },
    async forget(name) {
      // What ran when somebody last asked says nothing of now.
      reporter.outdate();
      const { snapshot } = await reporter.get();
      const instance = snapshot.instances.find((one) => one.name === name);
      const wanted =
        instance !== undefined && (instance.process !== undefined || instance.origins.some((o) => o !== 'remembered'));
      if (!(await look.forget(name, wanted)))
        return {
          ok: false,
          message: wanted
            ? `${name} runs or ought to run; there is nothing learned to forget.`
            : 'There is no remembered instance of that name.',
        };
      reporter.outdate();
      return { ok: true };
    },
    predictAgain: (id, predictOptions) => near?.predictAgain(id, predictOptions),
    async close() {
      closing = true;
      await look.close();
      return far === undefined || far.blocked() === 0;
    },
  };
}
