/** The example Grafana dashboards: their schema is valid, and their expressions parse and use existing series. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { allPanels, type Dashboard, dashboardExpressions, filledIn, readDashboard } from '../support/grafana.js';
import { needsProgram } from '../support/needs.js';
import { vocabulary } from '../support/promql.js';
import { run } from '../support/promtool.js';
import { labelsIn, statuses, strangeWords } from '../support/table-words.js';
import { type Attach, scrapedSeries, targetLabels } from '../support/target-labels.js';

const dashboards = ['filebeat-port-exporter', 'filebeat-fleet'].map(readDashboard) as [Dashboard, Dashboard];
const [dashboard] = dashboards;
const panels = allPanels(dashboard.panels);
const everyPanel = dashboards.flatMap((one) => allPanels(one.panels));
const expressions = dashboards.flatMap((one) => dashboardExpressions(one));

test('a dashboard has the latest schema of its kind, and no id of a Grafana instance', () => {
  for (const one of dashboards) {
    assert.equal(one.schemaVersion, 42);
    assert.equal((one as { id?: unknown }).id, null);
  }
  assert.deepEqual(
    dashboards.map(({ uid }) => uid),
    ['filebeat-port-exporter', 'filebeat-fleet'],
  );
});

for (const { title, panels: ofOne } of dashboards)
  test(`${title}: every panel has an id and a position of its own`, () => {
    const panels = allPanels(ofOne);
    const ids = panels.map((panel) => panel.id);
    assert.equal(new Set(ids).size, ids.length);
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      assert.ok(x >= 0 && w > 0 && h > 0 && x + w <= 24, panel.title);
      for (const other of panels) {
        if (other.id <= panel.id) continue;
        const o = other.gridPos;
        const apart = o.x >= x + w || x >= o.x + o.w || o.y >= y + h || y >= o.y + o.h;
        assert.ok(apart, `${panel.title} lies on ${other.title}`);
      }
    }
  });

test('every panel uses the selected data source', () => {
  for (const one of dashboards) assert.equal(one.templating.list[0]?.type, 'datasource');
  for (const panel of everyPanel.filter((p) => p.type !== 'row')) {
    assert.deepEqual(panel.datasource, { type: 'prometheus', uid: '${datasource}' }, panel.title);
    const refIds = (panel.targets ?? []).map((target) => target.refId);
    assert.ok(refIds.length > 0 && new Set(refIds).size === refIds.length, panel.title);
  }
  for (const variable of dashboards.flatMap((one) => one.templating.list.slice(1)))
    assert.equal(variable.datasource?.uid, '${datasource}');
});

test('host and Filebeat can be selected, and every panel respects the selection', () => {
  assert.deepEqual(
    dashboard.templating.list.map((variable) => variable.name),
    ['datasource', 'job', 'host', 'name'],
  );
  const chosen = dashboardExpressions(dashboard, { job: 'J', host: 'H', name: 'N' });
  for (const { where, expr } of chosen.filter((e) => e.where.startsWith('panel'))) {
    for (const { metric, matchers } of vocabulary(expr).selectors) {
      const value = (label: string) => matchers.find((m) => m.label === label)?.value;
      assert.equal(value('job'), 'J', `${where}: ${metric}`);
      assert.equal(value('instance'), 'H', `${where}: ${metric}`);
      if (/^filebeat_(instance|port|mismatch)_(?!exporter)/.test(metric))
        assert.match(value('name') ?? '', /^N\|?$/, where);
    }
  }
});

test('in the fleet dashboard, jobs and hosts can be selected; a cell or row links to the page and the ports of its host', () => {
  const [, fleet] = dashboards;
  assert.deepEqual(
    fleet.templating.list.map((variable) => variable.name),
    ['datasource', 'job', 'host'],
  );
  for (const { where, expr } of dashboardExpressions(fleet, { job: 'J', host: 'H' }).filter((e) =>
    e.where.startsWith('panel'),
  ))
    for (const { matchers } of vocabulary(expr).selectors) {
      const value = (label: string) => matchers.find((m) => m.label === label)?.value;
      assert.deepEqual([value('job'), value('instance')], ['J', 'H'], where);
    }
  const matrix = fleet.panels.find(({ title }) => title === 'Hosts and Filebeats, worst first') as unknown as {
    fieldConfig: { defaults: { links: { url: string }[] } };
    transformations: { id: string; options: Record<string, string> }[];
  };
  assert.deepEqual(
    matrix.transformations.map(({ id, options }) => [id, options['rowField'], options['columnField']]),
    [['groupingToMatrix', 'instance', 'name']],
  );
  assert.deepEqual(
    matrix.fieldConfig.defaults.links.map(({ url }) => url.replace(/\?.*/, '')),
    [`http://\${__data.fields[0]}/`, `/d/${dashboard.uid}`],
  );
});

test('expressions use only series, labels and label values of the exporter', () => {
  assert.ok(expressions.length > 25);
  for (const { where, expr } of expressions) assert.deepEqual(strangeWords(expr), [], where);
});

test('an unknown metric, label or value is found', () => {
  assert.deepEqual(strangeWords('max without (pid) (filebeat_port_up{job="x", status="taken"} == 0)'), [
    'filebeat_port_up has no label status',
  ]);
  assert.deepEqual(strangeWords('sum by (reasn) (filebeat_port_exporter_gaps[5m])'), [
    'no series here has the label reasn',
  ]);
  assert.deepEqual(strangeWords('filebeat_mismatch{code=~"drops|dropped"} unless on (name) filebeat_down'), [
    'code is never dropped',
    'nobody makes the series filebeat_down',
  ]);
});

test('legends use only labels of the result', () => {
  for (const panel of everyPanel) {
    for (const { expr, legendFormat = '' } of panel.targets ?? []) {
      const labels = labelsIn(filledIn(expr));
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        assert.ok(labels.includes(label), panel.title);
    }
  }
});

test('the timeline of ports has a text and a colour for every status', () => {
  const panel = panels.find((p) => p.title === 'Ports of each Filebeat')!;
  const asked = vocabulary(filledIn(panel.targets![0]!.expr)).selectors.map(
    (s) => s.matchers.find((m) => m.label === 'status')!.value,
  );
  assert.deepEqual([...asked].sort(), Object.keys(statuses).sort());
  const { mappings } = (
    panel as unknown as {
      fieldConfig: { defaults: { mappings: { options: Record<string, { text: string; color: string }> }[] } };
    }
  ).fieldConfig.defaults;
  const options = Object.values(mappings[0]!.options);
  assert.equal(options.length, asked.length);
  assert.equal(new Set(options.map((o) => o.color)).size, options.length);
});

test('Prometheus can parse every expression', needsProgram('promtool'), (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const asRules = (all: { expr: string }[]) =>
    JSON.stringify({
      groups: [{ name: 'dashboard', rules: all.map(({ expr }, i) => ({ record: `expression_${i}`, expr })) }],
    });
  const check = (text: string) => {
    writeFileSync(join(folder, 'rules.yml'), text);
    return run('promtool', ['check', 'rules', 'rules.yml'], folder);
  };
  const said = check(asRules(expressions));
  assert.ok(said.ok, said.text);
  assert.match(said.text, new RegExp(`${expressions.length} rules found`));
  assert.ok(!check(asRules([...expressions, { expr: 'sum by (' }])).ok, 'the check accepts what does not parse');
});

/** Compares every panel's expression over all scenarios with and without target labels; returns the differences. */
function differences(dashboard: Dashboard, how: Attach): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
  // A panel of versions shows the target's own label.
  const ofTarget = (expr: string) => !how.honor && /^count by \(version\b/.test(expr);
  const asked = dashboardExpressions(dashboard, { job: 'plain' })
    .map(({ where, expr }, i) => ({
      where,
      plain: expr,
      labelled: dashboardExpressions(dashboard, { job: 'labelled' })[i]!.expr,
    }))
    .filter(({ where, plain }) => !where.startsWith('variable') && !ofTarget(plain));
  const cases = asked.flatMap(({ where, plain, labelled }) =>
    [plain, labelled].map((side) => ({
      where,
      expr: `(count(${side}) or vector(0)) - (count((${plain}) == (${labelled})) or vector(0))`,
    })),
  );
  try {
    const input_series = [...scrapedSeries('plain'), ...scrapedSeries('labelled', how)];
    const promql_expr_test = cases.map(({ expr }) => ({
      expr,
      eval_time: '30m',
      exp_samples: [{ labels: '{}', value: 0 }],
    }));
    writeFileSync(join(folder, 'none.yml'), JSON.stringify({ groups: [] }));
    const tests = [{ interval: '1m', input_series, promql_expr_test }];
    writeFileSync(join(folder, 'test.yml'), JSON.stringify({ rule_files: ['none.yml'], tests }));
    const said = run('promtool', ['test', 'rules', 'test.yml'], folder);
    if (said.ok) return [];
    const wrong = cases.filter(({ expr }) => said.text.includes(JSON.stringify(expr))).map(({ where }) => where);
    return wrong.length > 0 ? [...new Set(wrong)] : [said.text];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('every panel shows the same if targets have labels that the exporter uses too', needsProgram('promtool'), () => {
  const { name: _, ...labels } = targetLabels;
  for (const one of dashboards) {
    assert.deepEqual(differences(one, { labels, honor: false }), [], one.title);
    assert.deepEqual(differences(one, { labels: targetLabels, honor: true }), [], one.title);
  }
});
