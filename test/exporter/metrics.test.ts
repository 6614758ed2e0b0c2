import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { labelsOf, type MetricName, metricTable } from '../../src/exporter/metrics/metric-table.js';
import { createNodeMetrics, type MetricsOptions, renderMetrics } from '../../src/exporter/metrics/metrics.js';
import { limits } from '../../src/model/limits.js';
import { mismatchCodes } from '../../src/model/mismatches.js';
import { withoutControls } from '../../src/runtime/controls.js';
import { parseExposition } from '../support/exposition.js';
import { needsProgram } from '../support/needs.js';
import { hostileNames, hostNetns, instance, many, port, report, running, socket, troubled } from '../support/report.js';

const options: MetricsOptions = { version: '0.1.0', nodeVersion: 'v20.0.0', legacyPortMetric: false };
const render = (r = troubled(), over: Partial<MetricsOptions> = {}) =>
  String(renderMetrics(r, { ...options, ...over }));
const lines = (text: string, start: string) => text.split('\n').filter((line) => line.startsWith(start));

test('a served port is 1 with its pid and input', () => {
  const text = render(report({ instances: [{ is: running('core', 100), ports: [port(9000)] }] }));
  assert.deepEqual(lines(text, 'filebeat_port_up'), [
    'filebeat_port_up{name="core",config="/etc/filebeat/core.yml",protocol="udp",address="*",port="9000",pid="100",input="udp"} 1',
  ]);
});

test('an instance that is down keeps its series with 0 and an empty pid', () => {
  const text = render();
  assert.ok(text.includes('filebeat_instance_up{name="lab",config="/etc/filebeat/lab.yml",pid=""} 0\n'));
  assert.ok(
    text.includes(
      'filebeat_port_up{name="lab",config="/etc/filebeat/lab.yml",protocol="udp",address="*",port="9002",pid="",input="udp"} 0\n',
    ),
  );
  assert.deepEqual(lines(text, 'filebeat_instance_start_time_seconds{name="lab"'), []);
  assert.deepEqual(lines(text, 'filebeat_instance_open_fds{name="lab"'), []);
});

test('a port that cannot be judged has an info series and no up series', () => {
  const text = render(
    report({
      instances: [{ is: running('core'), ports: [port(9000, { status: 'unresolved', address: 'syslog.lan' })] }],
    }),
  );
  assert.deepEqual(lines(text, 'filebeat_port_up{'), []);
  assert.match(lines(text, 'filebeat_port_info{')[0] ?? '', /address="syslog.lan".*status="unresolved"/);
  assert.match(text, /filebeat_instance_expected_ports\{.*protocol="udp"\} 0\n/);
});

test('an instance whose process cannot be seen has no up series', () => {
  const hidden = { up: undefined, healthy: undefined } as object;
  const text = render(report({ instances: [{ is: instance('core', { hidden: true }), verdict: hidden }] }));
  assert.deepEqual(lines(text, 'filebeat_instance_up{'), []);
  assert.equal(lines(text, 'filebeat_instance_info{').length, 1);
});

test('a taken port has no queue and buffer, which belong to the owner', () => {
  const text = render();
  assert.deepEqual(lines(text, 'filebeat_port_receive_queue_bytes{name="edge"'), []);
  assert.match(lines(text, 'filebeat_port_info{name="edge"')[0] ?? '', /owner_pid="4711",owner_process="rsyslogd"/);
});

test('declared_in is file and line', () => {
  assert.match(
    lines(render(), 'filebeat_port_info{name="core"')[1] ?? '',
    /declared_in="\/etc\/filebeat\/core.yml:12"/,
  );
});

test('every mismatch code has a count, 0 if there is none', () => {
  const text = render();
  const counted = lines(text, 'filebeat_mismatches{').map((line) => /code="(\w+)"/.exec(line)?.[1]);
  assert.deepEqual(counted, mismatchCodes);
  assert.ok(text.includes('filebeat_mismatches{code="port_missing",severity="critical"} 1\n'));
  assert.ok(text.includes('filebeat_mismatches{code="queue_high",severity="warning"} 0\n'));
});

test('two mismatches with the same labels are one series, counted as two', () => {
  const unreadable = (subject: string) =>
    ({ code: 'config_unreadable', name: 'core', subject, cause: { kind: 'permission', subject } }) as const;
  const text = render(
    report({ instances: [{ is: running('core') }], mismatches: [unreadable('/a'), unreadable('/b')] }),
  );
  assert.equal(lines(text, 'filebeat_mismatch{').length, 1);
  assert.ok(text.includes('filebeat_mismatches{code="config_unreadable",severity="warning"} 2\n'));
});

test('a random port is port 0, a host without a port has an empty one', () => {
  const text = render(
    report({
      instances: [{ is: running('core'), ports: [port(0), port(undefined, { status: 'invalid', up: false })] }],
    }),
  );
  assert.match(lines(text, 'filebeat_port_up{')[0] ?? '', /port="0"/);
  assert.match(lines(text, 'filebeat_port_up{')[1] ?? '', /port="",.* 0$/);
});

test('plain ports have pid and process, and the configured process while down', () => {
  const text = render();
  assert.deepEqual(lines(text, 'filebeat_static_port_up{'), [
    'filebeat_static_port_up{protocol="udp",address="*",port="6984",pid="55",process="nc"} 1',
    'filebeat_static_port_up{protocol="udp",address="*",port="618",pid="",process="filebeat"} 0',
  ]);
});

test('PORT counts the sockets on exactly that port, and only with legacy_port_metric', () => {
  assert.deepEqual(lines(render(), 'PORT{'), []);
  const r = report({
    instances: [
      {
        is: running('core'),
        ports: [port(9000), port(9001, { status: 'missing', up: false }), port(9002, { protocol: 'tcp' })],
      },
    ],
    statics: [{ port: 618, protocol: 'udp', up: false, sockets: 0 }],
  });
  r.snapshot.sockets.push(
    socket(61800),
    socket(9000, { address: '127.0.0.1', inode: 1 }),
    socket(618, { netns: 7, inode: 2 }),
  );
  assert.deepEqual(lines(render(r, { legacyPortMetric: true }), 'PORT{'), [
    'PORT{label="618"} 0',
    'PORT{label="9000"} 2',
    'PORT{label="9001"} 0',
  ]);
});

test('counters of a network namespace are labelled host or with its inode', () => {
  const counters = { inDatagrams: 1, noPorts: 0, inErrors: 0, receiveBufferErrors: 0 };
  const text = render(
    report({
      snapshot: {
        namespaces: [
          { netns: hostNetns, host: true, counters },
          { netns: 99, host: false, counters },
        ],
      },
    }),
  );
  assert.deepEqual(lines(text, 'filebeat_udp_in_datagrams_total{'), [
    'filebeat_udp_in_datagrams_total{network_namespace="host"} 1',
    'filebeat_udp_in_datagrams_total{network_namespace="99"} 1',
  ]);
});

test('hostile names stay inside their labels', () => {
  for (const name of Object.values(hostileNames)) {
    const r = report({
      instances: [
        {
          is: running(name, 100, { config: name }),
          ports: [
            port(9000, { address: name, socket: socket(9000, { owners: [{ pid: 1, startTicks: 1, comm: name }] }) }),
          ],
        },
      ],
      mismatches: [{ code: 'socket_unexpected', name, config: name, cause: { kind: 'none' } }],
    });
    const up = parseExposition(render(r)).filter((s) => s.name === 'filebeat_port_up');
    // Long names are truncated and control characters spelled out; both end in a digest.
    const told = (label: string) => up[0]?.labels.get(label)?.replace(/(… [0-9a-f]{16}| \([0-9a-f]{8}\))$/, '');
    const shown = withoutControls(name.slice(0, limits.labelChars));
    assert.deepEqual([up.length, told('name'), told('address')], [1, shown, shown]);
    assert.doesNotMatch(render(r), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
  }
});

test('a name with ESC and one with the four letters \\x1b are two series', () => {
  const names = ['a\u001b', 'a\\x1b'];
  const series = names.map((name) => render(report({ instances: [{ is: running(name) }] })));
  const [one, other] = series.map((text) => lines(text, 'filebeat_instance_up{')[0]);
  assert.notEqual(one, other);
  assert.match(one ?? '', /name="a\\\\x1b \([0-9a-f]{8}\)"/);
});

test('every series has exactly the labels of the metric table, in its order, and is unique', () => {
  const seen = new Set<string>();
  for (const series of parseExposition(render(troubled(), { legacyPortMetric: true }))) {
    assert.ok(series.name in metricTable, series.name);
    assert.deepEqual([...series.labels.keys()], labelsOf(series.name as MetricName));
    assert.ok(!seen.has(series.key), series.key);
    seen.add(series.key);
  }
});

test('an endpoint that a verdict has twice is one series', () => {
  const text = render(report({ instances: [{ is: running('core'), ports: [port(9000), port(9000)] }] }));
  assert.equal(lines(text, 'filebeat_port_up{').length, 1);
});

test('OpenMetrics names counters without _total in their head and ends with EOF', () => {
  const text = String(renderMetrics(troubled(), options, 'openmetrics'));
  assert.ok(text.includes('# TYPE filebeat_port_drops counter\n'));
  assert.ok(text.includes('filebeat_port_drops_total{'));
  assert.ok(text.endsWith('\n# EOF\n'));
  assert.ok(!text.includes('\n\n'));
});

test('metrics of the Node.js runtime can be appended repeatedly in both formats', async () => {
  const more = await createNodeMetrics();
  for (const format of ['openmetrics', 'text', 'openmetrics', 'text'] as const) {
    const text = String(renderMetrics(troubled(), options, format, await more(format)));
    assert.match(
      text,
      format === 'text' ? /^process_cpu_user_seconds_total \d/m : /^# TYPE process_cpu_user_seconds counter$/m,
    );
    assert.equal(text.includes('# EOF'), format === 'openmetrics');
    assert.equal(text.split('# EOF').length, format === 'openmetrics' ? 2 : 1);
  }
});

test('promtool accepts the metrics', needsProgram('promtool'), async () => {
  const more = await createNodeMetrics();
  for (const r of [troubled(), report(), many(3, 3, 2)]) {
    for (const appended of ['', r.verdict.instances.length === 3 ? await more('text') : '']) {
      const text = String(renderMetrics(r, { ...options, legacyPortMetric: true }, 'text', appended));
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      const said = (checked.stdout + checked.stderr)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('nodejs_'));
      assert.deepEqual(said, []);
    }
  }
});
