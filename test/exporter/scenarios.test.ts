/**
 * Every folder of `fixtures/` is a situation: its files are scanned like a host, and the output is compared with
 * `expected/`. `UPDATE_GOLDEN=1` rewrites the expected files; review the difference.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { statusDocument } from '../../src/exporter/json/status-json.js';
import { renderMetrics } from '../../src/exporter/metrics/metrics.js';
import { homePage } from '../../src/exporter/page/home-page.js';
import type { Report } from '../../src/model/model.js';
import { createReporter } from '../../src/report/reporter.js';
import { createSnapshotTaker } from '../../src/scan/take-snapshot.js';
import { defaultSettings, parseSettings, type Settings } from '../../src/settings/settings.js';
import { openMemory } from '../../src/state/memory.js';
import type { State } from '../../src/state/memory-state.js';
import { loadState } from '../../src/state/memory-text.js';
import { handClock } from '../support/hand-clock.js';
import { lookTimes, settle } from '../support/settle.js';
import { readScrape } from '../support/text-format.js';

const fixtures = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const update = process.env['UPDATE_GOLDEN'] === '1';

function settingsOf(fixture: string): Settings {
  const file = join(fixture, 'settings.yml');
  if (!existsSync(file)) return defaultSettings;
  const parsed = parseSettings(readFileSync(file), 'settings.yml');
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return parsed.settings;
}

/** The state file of earlier scans: `state.json` beside the root. */
function rememberedIn(fixture: string): State | undefined {
  const file = join(fixture, 'state.json');
  if (!existsSync(file)) return undefined;
  const loaded = loadState(readFileSync(file, 'utf8'));
  return loaded.kind === 'state' ? loaded.state : undefined;
}

/** The report of the last of several scans, as the server makes it; only the duration of a scan is invented. */
async function reportOf(fixture: string, settings: Settings): Promise<Report> {
  settle(fixture);
  let now = 0;
  const clock = handClock(() => now);
  const { memory, state: nothing } = openMemory(undefined, () => undefined);
  const state = rememberedIn(fixture) ?? nothing;
  const rootfs = join(fixture, 'root');
  const procfs = join(rootfs, 'proc');
  const taker = createSnapshotTaker({ procfs, rootfs, settings: () => settings, memory, state, clock });
  const { receiveQueueRatio } = settings.thresholds;
  const reporter = createReporter(async () => ({ ...(await taker.take()), durationSeconds: 0.004 }), {
    clock,
    freshness: 0,
    thresholds: () => ({ receiveQueueRatio, grace: 10, isSingleScan: false }),
  });
  for (const time of lookTimes) {
    now = time;
    await reporter.get();
  }
  return reporter.latest()!;
}

async function render(fixture: string): Promise<Record<string, string>> {
  const settings = settingsOf(fixture);
  const report = await reportOf(fixture, settings);
  const version = '0.0.0';
  const options = { version, nodeVersion: 'v20.0.0', legacyPortMetric: settings.legacyPortMetric };
  return {
    'metrics.txt': renderMetrics(report, options, 'text').toString('utf8'),
    'status.json': `${JSON.stringify(statusDocument(report, version), null, 2)}\n`,
    'page.html': homePage(report, new URLSearchParams(), { version, telemetryPath: '/metrics' }),
  };
}

const situations = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

for (const situation of situations)
  describe(`the situation ${situation}`, () => {
    const fixture = join(fixtures, situation);
    const expected = join(fixture, 'expected');

    it('gives the expected metrics, JSON and page', async () => {
      const told = await render(fixture);
      readScrape(told['metrics.txt']!);
      if (update) mkdirSync(expected, { recursive: true });
      for (const [name, text] of Object.entries(told)) {
        if (update) writeFileSync(join(expected, name), text);
        assert.equal(text, readFileSync(join(expected, name), 'utf8'), `${situation}/expected/${name}`);
      }
    });

    it('shows no internal word', () => {
      for (const name of readdirSync(expected))
        assert.doesNotMatch(
          readFileSync(join(expected, name), 'utf8'),
          /not-to-be-shown|madvdontneed|192\.0\.2\.4[01]/,
        );
    });
  });
