/** Every fault of Filebeat's files on the page, in metrics, JSON and `check`. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { correlate } from '../../src/correlate/correlate.js';
import { emptyScanHistory } from '../../src/correlate/scan-history.js';
import { statusDocument } from '../../src/exporter/json/status-json.js';
import { renderMetrics } from '../../src/exporter/metrics/metrics.js';
import { instancePage } from '../../src/exporter/page/instance-page.js';
import { checkText } from '../../src/exporter/terminal/check-text.js';
import { exitCode } from '../../src/exporter/terminal/summary.js';
import { type FaultCode, faultText } from '../../src/filebeat/faults.js';
import { expectedOfRunning } from '../../src/model/expected.js';
import type { Fault, Instance, MismatchCode, Prediction, Report } from '../../src/model/model.js';
import { instance as madeUp, prediction as runs, snapshot } from '../support/build.js';
import { type Made, predicted } from '../support/filebeat.js';

/** How each kind of fault is reported: code of the mismatch and exit code of `check`. */
const kinds = {
  /** It would not start. */
  exits: { mismatch: 'config_invalid', code: 2, healthy: false },
  /** It runs without a listener. */
  refused: { mismatch: 'input_refused', code: 2, healthy: false },
  /** It runs without an input that opens no socket. */
  mild: { mismatch: 'input_refused', code: 1, healthy: true },
  /** Its inputs come from elsewhere. */
  dynamic: { mismatch: 'config_dynamic', code: 0, healthy: true },
  /** Filebeat decides by chance. */
  ambiguous: { mismatch: 'config_unresolved', code: 1, healthy: true },
  /** The exporter could not read a file. */
  unseen: { mismatch: undefined, code: undefined, healthy: undefined },
} as const satisfies Record<string, { mismatch: MismatchCode | undefined; code: number | undefined; healthy: unknown }>;

type Kind = keyof typeof kinds;
/** Files with this fault; without files, the test constructs the fault itself. */
type Case = Kind | [Kind, Made | string];

const good = '- {type: udp, host: "127.0.0.1:7001"}\n';
const other = '- {type: udp, host: "127.0.0.1:7003"}\n';
const inputs = (entry: string) => `filebeat.inputs:\n${good}- ${entry}\n`;
const udp = (more: string) => inputs(`{type: udp, host: "127.0.0.1:7002", ${more}}`);
const included = (text: string, rest: Made = {}): Made => ({
  main: `filebeat.config.inputs: {path: "d/*.yml", reload.enabled: true}\nfilebeat.inputs:\n${good}`,
  ...rest,
  files: { '/etc/fb/d/a.yml': text, ...rest.files },
});
const module = (text: string, files: Record<string, string> = {}): Made => ({
  main: 'filebeat.config.modules: {path: "m/*.yml", reload.enabled: true}\n',
  files: { '/etc/fb/module/acme/fw/manifest.yml': 'input: config/udp.yml\n', ...files, '/etc/fb/m/a.yml': text },
});
const template = (text: string) => ({ '/etc/fb/module/acme/fw/config/udp.yml': text });
const asks = '- {module: acme, fw: {enabled: true}}\n';

/** With a valid input; the helper's own output is disabled. */
const noConsole = ['-E', 'output.console.enabled=false'];
const with_ = (text: string, files: Record<string, string> = {}): Made => ({
  main: `filebeat.inputs:\n${good}${text}`,
  args: text.startsWith('output') ? noConsole : [],
  files,
});

const cases: Record<FaultCode, Case> = {
  'unknown-flag': ['exits', { main: inputs(good.slice(2)), args: ['--no-such-flag'] }],
  'unknown-subcommand': ['exits', { main: udp('id: a'), args: ['nonsense'] }],
  'flag-without-value': ['exits', { main: udp('id: a'), args: ['-E'] }],
  'bad-flag-value': ['exits', { main: udp('id: a'), args: ['--strict.perms=maybe'] }],
  'bad-override': ['exits', { main: udp('id: a'), args: ['-E', 'output.console=[a'] }],
  'not-a-collector': ['exits', { main: udp('id: a'), args: ['version'] }],
  'runs-once': ['exits', { main: udp('id: a'), args: ['--once'] }],
  'file-missing': ['exits', { args: ['-c', 'nowhere.yml'] }],
  'file-unseen': 'unseen',
  'is-directory': ['exits', { args: ['-c', '/etc'] }],
  'wrong-owner': [
    'exits',
    { main: 'filebeat.inputs: []\n', args: ['-c', 'x.yml'], files: { '/etc/fb/x.yml': { text: '', uid: 7 } } },
  ],
  'writable-by-others': ['refused', included('', { files: { '/etc/fb/d/b.yml': { text: good, mode: 0o666 } } })],
  'settings-exclude': ['exits', with_('output.elasticsearch: {hosts: [a], username: a, api_key: b}\n')],
  'settings-conflict': ['exits', with_('queue.mem.events: 32\n')],
  'bad-address': ['exits', with_('output.elasticsearch.hosts: ["http://[::1"]\n')],
  'named-file-missing': [
    'exits',
    with_('output.elasticsearch: {hosts: ["https://a"], ssl.certificate_authorities: [/nowhere.pem]}\n'),
  ],
  'no-certificate': [
    'exits',
    {
      main: `${udp('id: a')}output.elasticsearch: {hosts: ["https://a"], ssl.certificate_authorities: [/etc/fb/ca.pem]}\n`,
      args: noConsole,
      files: { '/etc/fb/ca.pem': 'no' },
    },
  ],
  'no-key': 'exits',
  'not-a-pair': 'exits',
  'wrong-passphrase': 'exits',
  'no-keytab': 'exits',
  'no-keystore': ['exits', { main: udp('id: a'), files: { '/etc/fb/data/filebeat.keystore': 'nonsense' } }],
  'folder-blocked': 'exits',
  'path-in-the-way': ['mild', inputs('{type: unix, path: /etc/fb/filebeat.yml}')],
  'folder-missing': ['mild', inputs('{type: unix, path: /nowhere/fb.sock}')],
  'not-on-linux': ['exits', with_('http: {enabled: true, host: "npipe:///x"}\n')],
  'no-monitoring-reporter': ['exits', with_('monitoring.enabled: true\n')],
  'no-daemon': ['exits', with_('filebeat.autodiscover.providers: [{type: docker, hints.enabled: true}]\n')],
  'no-cluster': ['exits', with_('filebeat.autodiscover.providers: [{type: kubernetes, hints.enabled: true}]\n')],
  'setting-not-allowed': ['refused', udp('processors: [{drop_fields: {fields: [a], nonsense: 1}}]')],
  'script-syntax': ['refused', udp('processors: [{script: {lang: javascript, source: "let x = 1;"}}]')],
  'script-throws': [
    'refused',
    udp('processors: [{script: {lang: javascript, source: "nothing(); function process(e) {}"}}]'),
  ],
  'script-no-process': ['refused', udp('processors: [{script: {lang: javascript, source: "var x = 1;"}}]')],
  'script-no-register': [
    'refused',
    udp('processors: [{script: {lang: javascript, params: {a: 1}, source: "function process(e) {}"}}]'),
  ],
  'not-a-list': ['refused', included('{type: udp, host: "127.0.0.1:7003"}\n')],
  'key-twice': ['refused', `filebeat.inputs:\n${other}filebeat.inputs:\n${good}`],
  'second-document': ['refused', `filebeat.inputs:\n${good}---\nfilebeat.inputs:\n${other}`],
  'bad-glob': ['refused', { main: 'filebeat.config.inputs: {path: "d/[.yml", reload.enabled: true}\n' }],
  'script-missing': ['refused', udp('processors: [{script: {lang: javascript, file: nowhere.js}}]')],
  'yaml-syntax': ['refused', included('- {type: udp\n- x: [')],
  'yaml-encoding': ['exits', { main: Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]) }],
  'yaml-key': ['exits', `${udp('id: a')}1: x\n`],
  'yaml-alias': ['exits', 'filebeat.inputs: *nowhere\n'],
  'yaml-merge': ['exits', `${udp('id: a')}x: {<<: 5}\n`],
  'yaml-tag': ['exits', `${udp('id: a')}x: !!int nothing\n`],
  'yaml-limit': 'unseen',
  'bad-expansion': ['exits', udp('id: "${"')],
  'bad-value-text': ['exits', { main: udp('id: "${A}"'), env: { A: '[a' } }],
  'undefined-variable': ['refused', included('- {type: udp, host: "127.0.0.1:7003", fields.a: "${NOWHERE}"}\n')],
  'reference-cycle': ['exits', udp('id: "${a}"').concat('a: "${a}"\n')],
  'value-too-long': 'exits',
  'not-an-object': 'exits',
  'bad-index': 'exits',
  'wrong-type': ['exits', udp('id: [a]')],
  'bad-value': ['refused', included('- {type: udp, host: "127.0.0.1:7003", timeout: "30"}\n')],
  'missing-setting': ['exits', inputs('{type: kafka, hosts: [a]}')],
  'removed-setting': ['exits', 'filebeat.prospectors: []\n'],
  'removed-or-unknown': ['exits', with_('queue.best: {}\n')],
  'more-than-one-choice': ['exits', with_('output.elasticsearch.hosts: [a]\noutput.logstash.hosts: [a]\n')],
  'ambiguous-setting': ['ambiguous', `${udp('id: a')}http.enabled: true\nhttp: {enabled: false}\n`],
  'release-decides': 'ambiguous',
  'nothing-enabled': ['exits', 'filebeat.inputs: []\n'],
  'no-output': ['exits', { main: udp('id: a'), args: ['-E', 'output.console.enabled=false'] }],
  'unknown-output': ['exits', with_('output.nonsense: {a: 1}\n')],
  'managed-without-agent': ['exits', with_('management.enabled: true\n')],
  'unknown-provider': ['exits', with_('filebeat.autodiscover.providers: [{type: nonsense}]\n')],
  'unknown-input': ['refused', included('- {type: nonsense, host: "127.0.0.1:7003"}\n')],
  'deprecated-input': ['mild', included('- {type: log, paths: [/var/log/x]}\n')],
  'inputs-and-prospectors': 'exits',
  'identical-inputs': ['exits', `filebeat.inputs:\n${good}${good}`],
  'filestream-id-twice': [
    'exits',
    inputs('{type: filestream, id: a, paths: [/a]}\n- {type: filestream, id: a, paths: [/b]}'),
  ],
  'stdin-not-alone': ['exits', inputs('{type: stdin}')],
  'certificate-unusable': [
    'refused',
    inputs('{type: tcp, host: "127.0.0.1:7002", ssl: {certificate: nowhere.pem, key: nowhere.key}}'),
  ],
  'no-paths': ['mild', included('- {type: filestream, id: a}\n')],
  'no-protocol': ['refused', included('- {type: syslog}\n')],
  'unknown-processor': ['refused', udp('processors: [{no_such_processor: {}}]')],
  'bad-processor': ['refused', udp('processors: [{drop_event: {}, add_tags: {}}]')],
  'bad-condition': ['refused', udp('processors: [{drop_event: {when: {nonsense: 5}}}]')],
  'modules-unreadable': 'refused',
  'unknown-module': ['refused', module('- {module: nobody, fw: {enabled: true}}\n')],
  'unknown-fileset': ['refused', module('- {module: acme, nothing: {enabled: true}}\n')],
  'no-enabled-fileset': ['mild', module('- {module: acme, fw: {enabled: false}}\n')],
  'no-module-folder': ['refused', { main: `filebeat.inputs:\n${good}filebeat.modules: [{module: acme}]\n` }],
  'module-name-missing': ['refused', module('- {fw: {enabled: true}}\n')],
  'fileset-wrong-type': ['refused', module('- {module: acme, fw: 5}\n')],
  'bad-module-override': [
    'exits',
    {
      ...module(''),
      main: `filebeat.inputs:\n${good}filebeat.modules: [{module: acme, fw.enabled: true}]\n`,
      args: ['-M', 'acme=1'],
    },
  ],
  'manifest-invalid': ['refused', module(asks, { '/etc/fb/module/acme/fw/manifest.yml': 'var: 5\n' })],
  'module-file-missing': ['refused', module(asks)],
  'module-template-yaml': ['refused', module(asks, template('type: [\n'))],
  'template-failed': ['refused', module(asks, template('type: {{.nothing | nonsense}}\n'))],
  'template-unsupported': 'refused',
  defect: 'unseen',
  managed: ['dynamic', { main: udp('id: a'), args: ['-E', 'management.enabled=true'] }],
  hosted: 'dynamic',
  autodiscover: 'dynamic',
};

function foretold(code: string, kind: Kind, made: Made | string | undefined): { prediction: Prediction; fault: Fault } {
  if (made === undefined) {
    const fault: Fault = { code, subject: 'something', at: { file: '/etc/fb/filebeat.yml', line: 3 } };
    if (kind === 'refused') return { prediction: runs([], { faults: [fault] }), fault };
    if (kind === 'mild') return { prediction: runs([], { faults: [{ ...fault, costs: [] }] }), fault };
    const outcome = kind === 'unseen' ? 'unknown' : kind;
    const gaps = kind === 'unseen' ? [{ reason: 'denied' as const, subject: '/etc/fb/filebeat.yml' }] : [];
    return { prediction: runs([], { outcome, reason: fault, gaps }), fault };
  }
  const prediction = predicted(typeof made === 'string' ? { main: made } : made);
  const found = [...(prediction.reason ? [prediction.reason] : []), ...prediction.faults];
  const fault = found.find((one) => one.code === code);
  assert.ok(fault !== undefined, `${prediction.outcome} ${found.map((one) => one.code).join(', ')}`);
  return { prediction, fault };
}

/** A Filebeat that has run for an hour with these files and holds the predicted sockets. */
function reportOf(prediction: Prediction): Report {
  const base = madeUp('core', 4711, []);
  const expectation = expectedOfRunning(prediction, base.process!.startTime, undefined);
  const instance: Instance = { ...base, prediction, ...expectation };
  const sockets = prediction.listeners.flatMap(({ protocol, target }, at) =>
    target.kind !== 'socket'
      ? []
      : [
          {
            protocol,
            family: target.family,
            address: target.address,
            port: target.port,
            netns: base.process!.netns!,
            inode: at,
            uid: 0,
            receiveQueue: 0,
            drops: 0,
            owners: [{ pid: 4711, startTicks: base.process!.startTicks, comm: 'filebeat' }],
            ownersKnown: true,
          },
        ],
  );
  const shot = snapshot([instance], sockets);
  const thresholds = { receiveQueueRatio: 0.8, grace: 10, isSingleScan: true };
  return { snapshot: shot, verdict: correlate(shot, emptyScanHistory, thresholds) };
}

const plain = (text: string) =>
  text
    .replace(/<[^>]*>/g, '')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');

describe('every view reports a fault of the files:', () => {
  for (const [code, one] of Object.entries(cases)) {
    const [kind, made] = Array.isArray(one) ? one : [one, undefined];
    it(code, () => {
      const { prediction, fault } = foretold(code, kind, made);
      const report = reportOf(prediction);
      const { mismatch, code: exit, healthy } = kinds[kind];
      if (mismatch === undefined) {
        assert.ok(report.verdict.mismatches.some((m) => m.code === 'config_unreadable'));
        return;
      }
      const [verdict] = report.verdict.instances;
      assert.equal(verdict!.healthy, healthy);
      const words = faultText(fault);
      const told = statusDocument(report, '0').mismatches.filter((m) => m.code === mismatch);
      assert.ok(
        told.some((m) => m.cause.includes(words)),
        JSON.stringify(told),
      );
      assert.equal(exitCode(report), exit);
      const page = plain(instancePage(report, 'core', { version: '0', telemetryPath: '/metrics' })!);
      const place = fault.at?.line === undefined ? '' : `${fault.at.file}:${fault.at.line}`;
      for (const text of [checkText(report, { color: false, quiet: false }), page]) {
        assert.ok(text.replace(/\s+/g, ' ').includes(words), words);
        assert.ok(text.includes(place), place);
      }
      const metrics = renderMetrics(
        report,
        { version: '0', nodeVersion: 'v20', legacyPortMetric: false },
        'text',
      ).toString();
      assert.match(metrics, new RegExp(`^filebeat_mismatch\\{[^}]*code="${mismatch}"[^}]*\\} 1$`, 'm'));
      assert.match(metrics, new RegExp(`^filebeat_instance_healthy\\{[^}]*\\} ${Number(healthy)}$`, 'm'));
    });
  }
});
