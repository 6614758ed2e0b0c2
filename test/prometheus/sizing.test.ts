/** Checks the numbers in docs/sizing.md and docs/migration.md against the program. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { load } from 'js-yaml';
import { metricTable } from '../../src/exporter/metrics/metric-table.js';
import { renderMetrics } from '../../src/exporter/metrics/metrics.js';
import type { Report } from '../../src/model/model.js';
import { parseSettings } from '../../src/settings/settings.js';
import { parseExposition } from '../support/exposition.js';
import { dashboardExpressions, readDashboard } from '../support/grafana.js';
import { needsProgram, rootOnly } from '../support/needs.js';
import { vocabulary } from '../support/promql.js';
import { run } from '../support/promtool.js';
import { many, report } from '../support/report.js';
import { recorded } from '../support/rules.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const sizing = readFileSync(`${top}docs/sizing.md`, 'utf8');
const options = { version: '0', nodeVersion: 'v20', legacyPortMetric: false };

function seriesOf(situation: Report): number {
  return parseExposition(String(renderMetrics(situation, options))).length;
}

/** The formula from docs/sizing.md. */
function formula(): { base: number; namespace: number; instance: number; port: number } {
  const match =
    /^series of a host = (\d+) \+ (\d+) × namespaces \+ (\d+) × instances \+ (\d+) × ports \+ mismatches \+ plain ports$/m.exec(
      sizing,
    );
  assert.ok(match, 'docs/sizing.md has its formula');
  const [base = 0, namespace = 0, instance = 0, port = 0] = match.slice(1).map(Number);
  return { base, namespace, instance, port };
}

/** The example with each of its stores in turn; all but one are commented out. */
function remoteWriteConfigs(): { url: string; text: string }[] {
  const entry = /^ {2}(# )?- url: (\S+)\n(?: {2}(?:# )? {2}\S.*\n)*/gm;
  const file = readFileSync(`${top}examples/prometheus/remote-write.yml`, 'utf8');
  return [...file.matchAll(entry)].map(([, , url]) => {
    const text = file.replace(entry, (block, hidden: string | undefined, other: string) => {
      if (other === url) return block.replace(/^ {2}# /gm, '  ');
      return hidden === undefined ? block.replace(/^ {2}/gm, '  # ') : block;
    });
    return { url: url!, text };
  });
}

test('promtool accepts the remote write to each of the three stores', needsProgram('promtool'), (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'remote-write-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'targets'));
  const configs = remoteWriteConfigs();
  assert.deepEqual(
    configs.map(({ url }) => new URL(url).pathname),
    ['/api/v1/push', '/api/v1/receive', '/api/v1/write'],
  );
  for (const { url, text } of configs) {
    writeFileSync(join(folder, 'remote-write.yml'), text);
    const said = run('promtool', ['check', 'config', 'remote-write.yml'], folder);
    assert.ok(said.ok, `${url}: ${said.text}`);
    const { remote_write } = load(text) as { remote_write: { url: string; write_relabel_configs: unknown[] }[] };
    assert.deepEqual([remote_write.map((one) => one.url), remote_write[0]?.write_relabel_configs.length], [[url], 1]);
  }
});

test('the samples sent to a store are those that the fleet dashboard needs', () => {
  const { remote_write } = load(remoteWriteConfigs()[0]!.text) as {
    remote_write: { write_relabel_configs: { regex: string }[] }[];
  };
  const sent = new RegExp(`^(?:${remote_write[0]!.write_relabel_configs[0]!.regex})$`);
  const asked = dashboardExpressions(readDashboard('filebeat-fleet')).flatMap(({ expr }) =>
    vocabulary(expr).selectors.map(({ metric }) => metric),
  );
  for (const metric of asked) assert.match(metric, sent);
});

test('the sizing formula matches the rendered metrics', () => {
  const { base, namespace, instance, port } = formula();
  assert.equal(seriesOf(report({ snapshot: { namespaces: [] } })), base);
  assert.equal(seriesOf(report()), base + namespace);
  assert.equal(seriesOf(many(1, 0)), base + namespace + instance);
  assert.equal(seriesOf(many(5, 10)), base + namespace + 5 * instance + 50 * port);
  const withStatics = report({ statics: [{ port: 618, protocol: 'udp', up: true, sockets: 1 }] });
  assert.equal(seriesOf(withStatics), base + namespace + 1);
});

test('mismatches and down instances never exceed the formula', () => {
  const { base, namespace, instance, port } = formula();
  const troubled = many(5, 10, 7);
  assert.ok(seriesOf(troubled) <= base + namespace + 5 * instance + 50 * port + troubled.verdict.mismatches.length);
});

test('the worked example of the sizing note is correct', () => {
  const rendered = seriesOf(many(5, 10));
  assert.match(sizing, new RegExp(`= ${rendered}, and 5 from Prometheus`));
  const fleet = 1000 * (rendered + 5);
  assert.ok(sizing.includes(`= ${fleet.toLocaleString('en')} series`));
  assert.ok(sizing.includes(`= ${Math.floor(fleet / 15).toLocaleString('en')} samples`));
});

test('a scrape has the size in the note, in total and for each port and instance', () => {
  const size = (instances: number, ports: number) => renderMetrics(many(instances, ports), options).length;
  const said = (pattern: RegExp) => Number(pattern.exec(sizing)?.[1]?.replace(',', ''));
  const near = (what: string, real: number, told: number) =>
    assert.ok(Math.abs(real - told) < told * 0.2, `${what}: ${real} bytes, said ${told}`);
  near('all', size(5, 10), 1000 * said(/(\d+) kB as text/));
  const [port, instance] = [size(1, 11) - size(1, 10), size(2, 0) - size(1, 0)];
  near('a port', port, said(/^\| port that is served, UDP .* (\d+) \|$/m));
  near('an instance', instance, said(/^\| instance that runs .* ([\d,]+) \|$/m));
  near('the rest', size(1, 1) - instance - port, said(/ ([\d,]+) for all three \|$/m));
});

test('the note on fleets is computed from the measured values', () => {
  const number = (pattern: RegExp) => {
    const match = pattern.exec(sizing);
    assert.ok(match, String(pattern));
    return Number(match[1]!.replaceAll(',', ''));
  };
  const scraped = number(/= ([\d,]+) series \|/);
  const byRules = number(/= ([\d,]+) \|$/m);
  const perSeries = number(/that is ([\d.]+) kB for each series/);
  const perSample = number(/\| ([\d.]+) bytes for each sample \|/);
  const samples = Math.floor((scraped + byRules) / 15);
  const close = (told: number, real: number) => assert.ok(Math.abs(told - real) <= 0.05 * real, `${told}, not ${real}`);
  close(number(/× [\d.]+ kB = ([\d.]+) GB/), ((scraped + byRules) * perSeries) / 1e6);
  close(number(/= ([\d.]+) GB a day/), (samples * 86_400 * perSample) / 1e9);
  close(number(/15 days of this fleet are (\d+) GB/), (15 * samples * 86_400 * perSample) / 1e9);
  assert.ok(sizing.includes(`${samples.toLocaleString('en')} × 86,400 × ${perSample}`));
});

const needsPrometheus = { ...needsProgram('promtool'), ...rootOnly };
test(
  'the command that measures a fleet finds the number of series of the formula on a real host',
  needsPrometheus,
  () => {
    const fleet = fileURLToPath(new URL('../support/fleet.js', import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [fleet, '2', '4'], { encoding: 'utf8' });
    const rendered = seriesOf(many(5, 10));
    assert.match(stdout, new RegExp(`^one host, 5 Filebeats, 50 ports: ${rendered} series, `), stdout + stderr);
    assert.match(stdout, /^2 hosts every 5 s for 4 s: [\d,]+ series in the head, \d+ of them from rules$/m);
    const bytes = Number(/^disk: ([\d.]+) bytes for each sample$/m.exec(stdout)?.[1]);
    assert.ok(bytes > 0.5 && bytes < 2, `${bytes} bytes for each sample`);
  },
);

test('pid is a label of as many series of an instance as the note on churn says', () => {
  const withPid = Object.values(metricTable).filter((family) => family.scope === 'process').length;
  assert.match(sizing, /on eight series of the instance/);
  assert.equal(withPid, 8);
});

test('the rules record the number of series in the sizing note', () => {
  const level = (name: string) => [...recorded.keys()].filter((record) => record.startsWith(`${name}:`));
  assert.match(sizing, /add 2 for each instance, 3 for each port, and 1 for\s+each exporter/);
  assert.equal(level('name').length, 2);
  assert.equal(
    level('port').length - 1,
    3,
    'one of them, `port:filebeat_port_taken:max`, is only there while a port is taken',
  );
  assert.equal(level('instance').length, 1);
});

test('the example settings have the script’s fifteen ports and its metric', () => {
  const parsed = parseSettings(readFileSync(`${top}examples/exporter.yml`), 'exporter.yml');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const { ports, legacyPortMetric } = parsed.settings;
  assert.deepEqual(
    ports.map((p) => p.port),
    [6984, 6985, 6998, 7878, 7879, 7880, 618, 8814, 8815, 8816, 8817, 8818, 8819, 718, 815],
  );
  assert.ok(ports.every((p) => p.protocol === 'udp' && p.address === undefined && p.process === undefined));
  assert.equal(legacyPortMetric, true);
});
