/** The example alert and recording rules: valid, unit-tested one by one, and based on existing series. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mismatchCodes, mismatches } from '../../src/model/mismatches.js';
import type { MismatchCode } from '../../src/model/model.js';
import { needsProgram } from '../support/needs.js';
import { vocabulary } from '../support/promql.js';
import { run } from '../support/promtool.js';
import {
  alerts,
  alertsThatNeed,
  prometheusFolder,
  recorded,
  rules,
  rulesName,
  rulesText,
  rulesWithout,
  testName,
  testsAbout,
} from '../support/rules.js';
import { labelsIn, labelsOfSeries, strangeWords } from '../support/table-words.js';
import { type Attach, targetLabels, testsWithTargetLabels } from '../support/target-labels.js';

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));
const needsPromtool = needsProgram('promtool');

function assertClean(args: string[]): void {
  const said = run('promtool', args, prometheusFolder);
  assert.ok(said.ok, said.text);
}

test('promtool accepts the rules', needsPromtool, () => {
  assertClean(['check', 'rules', rulesName]);
});

test('the unit tests of the rules pass', needsPromtool, () => {
  assertClean(['test', 'rules', testName]);
});

/** Runs the unit tests again with labels on the targets, in a folder of their own. */
function assertRulesHold(how: Attach, texts: boolean): void {
  const folder = mkdtempSync(join(tmpdir(), 'labelled-'));
  try {
    writeFileSync(join(folder, rulesName), rulesText);
    writeFileSync(join(folder, testName), testsWithTargetLabels(how, texts));
    const said = run('promtool', ['test', 'rules', testName], folder);
    assert.ok(said.ok, said.text);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('the unit tests pass if targets have labels that the exporter uses too', needsPromtool, () => {
  const { name: _, ...labels } = targetLabels;
  assertRulesHold({ labels, honor: false }, true);
});

test(
  'with a target label `name` the same alerts fire, and with honor_labels their texts are the same',
  needsPromtool,
  () => {
    assertRulesHold({ labels: targetLabels, honor: true }, true);
    assertRulesHold({ labels: targetLabels, honor: false }, false);
  },
);

test('promtool accepts the scrape configuration', needsPromtool, () => {
  assertClean(['check', 'config', 'prometheus.yml']);
});

test('amtool accepts the Alertmanager configuration', needsProgram('amtool'), () => {
  const said = run('amtool', ['check-config', 'alertmanager.yml'], prometheusFolder);
  assert.ok(said.ok, said.text);
});

test('removing any rule makes its unit tests fail', needsPromtool, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const unnoticed: string[] = [];
  for (const name of [...alerts.map((rule) => rule.alert), ...recorded.keys()]) {
    writeFileSync(join(folder, testName), testsAbout(alertsThatNeed(name)));
    writeFileSync(join(folder, rulesName), rulesText);
    assert.ok(run('promtool', ['test', 'rules', testName], folder).ok, `the tests about ${name} pass with it`);
    writeFileSync(join(folder, rulesName), rulesWithout(name));
    assert.ok(run('promtool', ['check', 'rules', rulesName], folder).ok, `the file without ${name} is a rules file`);
    if (run('promtool', ['test', 'rules', testName], folder).ok) unnoticed.push(name);
  }
  assert.deepEqual(unnoticed, []);
});

test('rules use only series, labels and label values of the exporter', () => {
  for (const { alert, record, expr } of rules) assert.deepEqual(strangeWords(expr), [], alert ?? record);
});

test('annotations use only existing labels and series', () => {
  for (const { alert, expr, annotations } of alerts) {
    const labels = labelsIn(expr);
    for (const text of Object.values(annotations ?? {})) {
      const queries = [...text.matchAll(/`([^`]*%q[^`]*)`/g)].map((m) => m[1]!.replaceAll('%q', '""'));
      for (const query of queries) assert.deepEqual(strangeWords(query), [], alert);
      const queried = queries.flatMap((q) => vocabulary(q).selectors.flatMap((s) => labelsOfSeries(s.metric) ?? []));
      for (const [, label = ''] of text.matchAll(/\$labels\.(\w+)/g))
        assert.ok(labels.includes(label), `${alert}: ${label}`);
      for (const [, label = ''] of text.matchAll(/ \.Labels\.(?:exported_)?(\w+)/g))
        assert.ok(queried.includes(label), `${alert}: ${label}`);
    }
  }
});

test('no alert has a label that changes while a fault lasts', () => {
  const volatile = ['pid', 'status', 'declared_in', 'owner_pid', 'owner_process', 'process'];
  for (const { alert, expr } of alerts) {
    const { grouping, selectors } = vocabulary(expr);
    const removed = new Set([
      ...grouping,
      ...selectors.flatMap((s) => (recorded.has(s.metric) ? vocabulary(recorded.get(s.metric)!).grouping : [])),
    ]);
    for (const label of labelsIn(expr))
      assert.ok(!volatile.includes(label) || removed.has(label), `${alert}: ${label}`);
  }
});

test('every alert has a duration, severity, page and runbook', () => {
  for (const { alert, for: wait, labels, annotations, expr } of alerts) {
    assert.match(wait ?? '', /^\d+m$/, alert);
    assert.match(labels?.['severity'] ?? '', /^(critical|warning|\{\{ \$labels\.severity \}\})$/, alert);
    const { summary = '', description = '', runbook_url = '' } = annotations ?? {};
    assert.ok(summary.length > 0 && description.length > summary.length, alert);
    const told = ['instance', 'name', 'config', 'port'].filter((label) => labelsIn(expr).includes(label));
    // `absent` has no instance; a Filebeat as a whole has no port.
    const without = { FilebeatPortExporterAbsent: 'instance', FilebeatFlapping: 'port' }[alert];
    const aggregated = new Set([...vocabulary(expr).grouping, without]);
    for (const label of told) {
      if (aggregated.has(label)) continue;
      assert.ok((summary + description).includes(`$labels.${label}`), `${alert} does not name ${label}`);
    }
    assert.equal(
      runbook_url,
      `https://github.com/filebeat-port-exporter/filebeat-port-exporter/blob/main/docs/alerts.md#${alert.toLowerCase()}`,
    );
  }
});

test('FilebeatPortNotServed has a text for every status of a port that is down while its Filebeat runs', () => {
  const { description = '' } = alerts.find((rule) => rule.alert === 'FilebeatPortNotServed')!.annotations!;
  const told = [...description.matchAll(/eq \.Labels\.status "(\w+)"/g)].map((m) => m[1]!);
  const toldElsewhere = ['taken', 'instance_down'];
  const reference = readFileSync(`${docs}metrics.md`, 'utf8');
  const down = [...reference.matchAll(/^\| `(\w+)` \| 0 \|/gm)].map((m) => m[1]!);
  assert.deepEqual([...told, ...toldElsewhere].sort(), down.sort());
});

test('docs/alerts.md has a heading and a row for each alert, and no others', () => {
  const text = readFileSync(`${docs}alerts.md`, 'utf8');
  const headings = [...text.matchAll(/^## (.+)$/gm)].map((m) => m[1]!);
  assert.deepEqual([...headings].sort(), alerts.map((rule) => rule.alert).sort());
  for (const { alert, for: wait = '', labels } of alerts) {
    const severity = labels?.['severity']?.startsWith('{{') ? 'that of the code' : labels?.['severity'];
    assert.ok(text.includes(`| [${alert}](#${alert.toLowerCase()}) | ${wait} | ${severity} |`), alert);
  }
  const links = [...text.matchAll(/\]\(#([\w-]+)\)/g)].map((m) => m[1]!);
  const anchors = headings.map((heading) => heading.toLowerCase());
  for (const link of links) assert.ok(anchors.includes(link), link);
});

/** The alert for each code. `FilebeatMismatch` is for the others. */
const toldBy: Partial<Record<MismatchCode, string>> = {
  instance_down: 'FilebeatDown',
  instance_flapping: 'FilebeatFlapping',
  config_invalid: 'FilebeatConfigInvalid',
  restart_pending: 'FilebeatRestartPending',
  data_path_conflict: 'FilebeatConflict',
  port_conflict: 'FilebeatConflict',
  port_missing: 'FilebeatPortNotServed',
  listener_invalid: 'FilebeatPortNotServed',
  listener_deaf: 'FilebeatPortNotServed',
  learned_port_gone: 'FilebeatLearnedPortGone',
  port_taken: 'FilebeatPortTaken',
  queue_high: 'FilebeatQueueNearFull',
  drops: 'FilebeatDropsDatagrams',
  output_failing: 'FilebeatOutputFailing',
  output_slow: 'FilebeatOutputSlow',
  events_dropped: 'FilebeatEventsDropped',
  port_silent: 'FilebeatPortSilent',
  reload_failed: 'FilebeatReloadFailed',
  static_port_down: 'FilebeatStaticPortDown',
};

test('every mismatch code above info has exactly one alert of its severity', () => {
  const catchAll = alerts.find((rule) => rule.alert === 'FilebeatMismatch')!;
  const excluded = vocabulary(catchAll.expr)
    .selectors[0]!.matchers.find((m) => m.label === 'code')!
    .value.split('|');
  assert.deepEqual(excluded.sort(), Object.keys(toldBy).sort());
  const text = readFileSync(`${docs}alerts.md`, 'utf8');
  for (const code of mismatchCodes) {
    const alert = toldBy[code];
    if (alert === undefined) continue;
    assert.equal(alerts.find((rule) => rule.alert === alert)?.labels?.['severity'], mismatches[code].severity, code);
    assert.match(text, new RegExp(`^\\| \\[${alert}\\]\\(.*\`${code}\``, 'm'), code);
  }
});
