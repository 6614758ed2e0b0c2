/** `check` and `metrics`: scan once and print. */
import { statusDocument } from '../exporter/json/status-json.js';
import { createNodeMetrics, renderMetrics } from '../exporter/metrics/metrics.js';
import { checkText } from '../exporter/terminal/check-text.js';
import { exitCode } from '../exporter/terminal/summary.js';
import { asciiControls } from '../runtime/controls.js';
import type { Logger } from '../runtime/log.js';
import type { Flags } from './flags.js';
import { openHost } from './open-host.js';
import { writeOutput } from './output-file.js';
import { version } from './version.js';

/** Output of a command and its exit code. */
export interface Printed {
  text: string | Buffer;
  code: number;
}

/** What the terminal can do. */
export interface Terminal {
  color: boolean;
  columns?: number;
}

/** Exit codes of monitoring plugins: 0 ok, 1 warning, 2 critical, 3 unknown. Does not write the state file. */
export async function check(flags: Flags, log: Logger, terminal: Terminal): Promise<Printed> {
  const host = await openHost({ flags, log, isSingleScan: true, remember: false });
  const report = await host.reporter.get();
  const text = flags.json
    ? `${asciiControls(JSON.stringify(statusDocument(report, version), null, 2))}\n`
    : checkText(report, { ...terminal, quiet: flags.quiet });
  return { text, code: exitCode(report) };
}

/** The exposition, on stdout or in a file for the textfile collector. Exit code 3: the scan failed. */
export async function metrics(flags: Flags, log: Logger): Promise<Printed> {
  const host = await openHost({ flags, log, isSingleScan: true, remember: true });
  const report = await host.reporter.get();
  await host.close();
  if (!report.snapshot.usable) return { text: '', code: 3 };
  const options = { version, nodeVersion: process.version, legacyPortMetric: host.settings().legacyPortMetric };
  const more = flags['collector.nodejs'] ? await (await createNodeMetrics())('text') : '';
  const text = renderMetrics(report, options, 'text', more);
  if (flags.output === undefined) return { text, code: 0 };
  await writeOutput(flags.output, text);
  return { text: '', code: 0 };
}
