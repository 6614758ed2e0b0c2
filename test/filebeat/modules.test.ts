import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FileView } from '../../src/filebeat/files/file-view.js';
import type { Loader } from '../../src/filebeat/files/load.js';
import {
  includedModuleInputs,
  type ModuleHome,
  type ModuleInputs,
  staticModuleInputs,
} from '../../src/filebeat/modules/modules.js';
import { newestRelease, parseRelease } from '../../src/filebeat/releases/releases.js';
import { treeFromYaml } from '../../src/filebeat/tree/build.js';
import { toPlain } from '../../src/filebeat/tree/read.js';
import { newTree, plainRules, type Read, type Tree } from '../../src/filebeat/tree/tree.js';
import { parseYaml } from '../../src/filebeat/yaml/yaml.js';
import { memoryFiles } from '../support/memory-files.js';
import { noScope } from '../support/scope.js';

const udp = 'type: udp\nhost: "{{.syslog_host}}:{{.syslog_port}}"\nprocessors:\n  - add_locale: ~\n';
const manifest = (port: number) =>
  `var:\n  - name: syslog_host\n    default: localhost\n    os.linux: 127.0.0.9\n  - name: base\n    default: "${port}"\n` +
  `  - name: syslog_port\n    default: "{{.base}}"\n  - name: input\n    default: udp\n` +
  'ingest_pipeline: ingest/pipeline.yml\ninput: config/{{.input}}.yml\n';
const files: Record<string, string> = {
  '/h/module/acme/module.yml': 'dashboards:\n',
  '/h/module/acme/_meta/config.yml': '',
  '/h/module/acme/fw/manifest.yml': manifest(9001),
  '/h/module/acme/fw/config/udp.yml': udp,
  '/h/module/acme/vpn/manifest.yml': manifest(9002),
  '/h/module/acme/vpn/config/udp.yml': udp,
  '/h/module/oldacme/module.yml': 'movedTo: acme\n',
  '/h/module/broken/fs/manifest.yml': 'var: [{default: 1}]\ninput: config/x.yml\n',
  '/h/module/yaml/fs/manifest.yml': 'input: config/x.yml\n',
  '/h/module/yaml/fs/config/x.yml': 'type: [\n',
  '/h/module/env/fs/manifest.yml': 'input: config/x.yml\n',
  '/h/module/env/fs/config/x.yml': 'type: udp\nhost: "${HOST}:1"\nfile: ${path.home}/a\n',
};

interface Setting {
  release?: string;
  view?: FileView;
  env?: Record<string, string>;
  names?: string[];
  overrides?: string;
  enableAll?: boolean;
  forceEnable?: boolean;
  table?: true;
}

function homeOf({ release, view, env, table }: Setting): ModuleHome & { loader: Loader } {
  const loader: Loader = {
    files: view ?? memoryFiles(files),
    release: (release && parseRelease(release)) || newestRelease,
    rules: plainRules,
    strictUid: undefined,
    seen: [],
    gaps: [],
    clashes: [],
    ignored: [],
  };
  return {
    home: '/h',
    scope: { ...noScope, env: env ?? {} },
    loader,
    hostname: 'host.example',
    ...(table ? { table } : {}),
  };
}

function treeOf(text: string): Tree {
  const parsed = parseYaml(Buffer.from(text));
  assert.ok(parsed.ok);
  const built = treeFromYaml(parsed.root, { file: '/etc/m.yml', rules: plainRules, clashes: [] });
  assert.ok(built.ok);
  return built.value;
}

const entries = (text: string) => (treeOf(text).items ?? []).filter((item) => item.kind === 'tree');

/** `fileset host line` of each input, or the fault. */
function show(made: Read<ModuleInputs>): string {
  if (!made.ok) return `${made.fault.code} ${made.fault.subject ?? ''}`.trim();
  const lines = made.value.inputs.map(({ label, tree, declaredIn }) => {
    const plain = toPlain(tree, noScope);
    assert.ok(plain.ok);
    const { type, host } = plain.value as { type?: string; host?: string };
    return `${label} ${type} ${host} :${declaredIn.line ?? declaredIn.file}`;
  });
  return lines.sort().join(', ');
}

function fixed(text: string, setting: Setting = {}): string {
  const { names = [], overrides, enableAll = false, forceEnable = false } = setting;
  const flags = overrides ? treeOf(overrides) : newTree({ file: 'command line' });
  return show(staticModuleInputs(entries(text), names, flags, { enableAll, forceEnable }, homeOf(setting)));
}

function included(text: string, setting: Setting = {}): string {
  const [entry] = entries(text);
  assert.ok(entry);
  return show(includedModuleInputs(entry, homeOf(setting)));
}

const fw = (host: string, line: number | string = 2) => `acme/fw udp ${host} :${line}`;

describe('filesets that run', () => {
  const rows: [fact: string, entry: string, since8: string, before: string][] = [
    [
      'before 8.0 all of a listed module do',
      '- module: acme',
      'no-enabled-fileset acme',
      'acme/fw udp 127.0.0.9:9001 :1, acme/vpn udp 127.0.0.9:9002 :1',
    ],
    [
      'since 8.0 only those listed do',
      '- module: acme\n  fw:',
      fw('127.0.0.9:9001'),
      'acme/fw udp 127.0.0.9:9001 :2, acme/vpn udp 127.0.0.9:9002 :1',
    ],
    [
      'a disabled fileset does not run',
      '- module: acme\n  fw: {enabled: false}\n  vpn: {}',
      'acme/vpn udp 127.0.0.9:9002 :3',
      'acme/vpn udp 127.0.0.9:9002 :3',
    ],
    [
      '"false" as a text is off, too',
      '- module: acme\n  fw: {enabled: "false"}\n  vpn: {}',
      'acme/vpn udp 127.0.0.9:9002 :3',
      'acme/vpn udp 127.0.0.9:9002 :3',
    ],
    [
      '"no" as a text is an error',
      '- module: acme\n  fw: {enabled: "no"}',
      'wrong-type fw.enabled',
      'wrong-type fw.enabled',
    ],
    ['a disabled module is not read', '- module: nosuch\n  enabled: false', '', ''],
    ['true is not a fileset', '- module: acme\n  fw: true', 'fileset-wrong-type fw', 'fileset-wrong-type fw'],
    [
      'a fileset that does not exist stops it',
      '- module: acme\n  fw:\n  nosuch:',
      'unknown-fileset acme/nosuch',
      'unknown-fileset acme/nosuch',
    ],
    [
      'unless it is off',
      '- module: acme\n  fw:\n  vpn.enabled: off\n  nosuch.enabled: off',
      fw('127.0.0.9:9001'),
      fw('127.0.0.9:9001'),
    ],
    [
      'a setting one level too high counts as a fileset',
      '- module: acme\n  fw:\n  vpn:\n  var.x: 1',
      'unknown-fileset acme/var',
      'unknown-fileset acme/var',
    ],
    ['an unknown module stops it', '- module: nosuch', 'unknown-module nosuch', 'unknown-module nosuch'],
    ['a module needs a name', '- fw:', 'module-name-missing', 'module-name-missing'],
    [
      '`prospector` is gone',
      '- module: acme\n  fw.prospector.host: x',
      'removed-setting fw.prospector',
      'removed-setting fw.prospector',
    ],
    [
      'a moved module is found',
      '- module: oldacme\n  fw:\n  vpn.enabled: false',
      fw('127.0.0.9:9001'),
      fw('127.0.0.9:9001'),
    ],
  ];
  for (const [fact, entry, since8, before] of rows)
    test(fact, () => {
      assert.equal(fixed(entry), since8);
      assert.equal(included(entry), since8);
      assert.equal(fixed(entry, { release: '7.17.16' }), before);
    });
});

describe('variables and inputs', () => {
  const rows: [fact: string, fileset: string, expected: string][] = [
    ['override the default', 'var.syslog_port: 9104', fw('127.0.0.9:9104')],
    ['keep it when null', 'var: {syslog_port: ~, syslog_host: }', fw('127.0.0.9:9001')],
    ['an empty text overrides', 'var.syslog_host: ""', fw(':9001')],
    ['a fraction prints without its zero', 'var.syslog_port: 9106.0', fw('127.0.0.9:9106')],
    ['an octal number prints in decimal', 'var.syslog_port: 021630', fw('127.0.0.9:9112')],
    ['a list prints in brackets', 'var.syslog_port: [9001, 2]', fw('127.0.0.9:[9001 2]')],
    ['defaults are worked out before overrides', 'var.base: 93', fw('127.0.0.9:9001')],
    ['`input` lies over the template', 'input: {host: "x:1", type: tcp}', 'acme/fw tcp x:1 :2'],
    ['a template that is not there', 'var.input: tcp', 'module-file-missing acme/fw'],
    ['`var` must be a section', 'var: 5', 'wrong-type fw.var'],
    ['an undefined variable fails the entry', 'var.x: ${NOSUCH}', 'undefined-variable NOSUCH'],
    ['the environment is seen', 'var.syslog_port: ${PORT}', fw('127.0.0.9:9200')],
  ];
  for (const [fact, fileset, expected] of rows)
    test(fact, () =>
      assert.equal(included(`- module: acme\n  fw:\n    ${fileset}`, { env: { PORT: '9200' } }), expected),
    );

  test('an undefined variable fails the entry even in a disabled fileset', () => {
    assert.equal(fixed('- module: acme\n  fw:\n  vpn: {enabled: false, x: "${NOSUCH}"}'), 'undefined-variable NOSUCH');
  });

  test('an entry of the main file sees `path.home`, one of modules.d does not', () => {
    const entry = '- module: acme\n  fw.var.syslog_host: ${path.home}';
    assert.equal(fixed(entry), fw('/h:9001'));
    assert.equal(included(entry), 'undefined-variable path.home');
  });

  test('processors of `input` are appended, paths replaced', () => {
    const [entry] = entries('- module: acme\n  fw.input: {processors: [{drop_event: ~}], a.paths: [x], paths: [z]}');
    const made = includedModuleInputs(entry!, homeOf({}));
    assert.ok(made.ok);
    const plain = toPlain(made.value.inputs[0]!.tree, noScope);
    assert.ok(plain.ok);
    const { processors, paths } = plain.value as { processors: object[]; paths: string[] };
    assert.deepEqual([processors.map((item) => Object.keys(item)[0]), paths], [['add_locale', 'drop_event'], ['z']]);
  });

  test('a broken manifest, a broken template', () => {
    assert.equal(included('- module: broken\n  fs:'), 'manifest-invalid broken/fs');
    assert.equal(included('- module: yaml\n  fs:'), 'module-template-yaml yaml/fs');
  });
});

describe('flags', () => {
  const rows: [fact: string, entry: string, setting: Setting, expected: string][] = [
    ['-M overrides', '- module: acme\n  fw:', { overrides: 'acme.fw.var.syslog_port: 5' }, fw('127.0.0.9:5')],
    [
      '-M lists a fileset',
      '- module: acme\n  fw.enabled: false',
      { overrides: 'acme.vpn.var.base: 5' },
      'acme/vpn udp 127.0.0.9:9002 :command line',
    ],
    [
      '-M does not enable a disabled module',
      '- module: acme\n  vpn:\n  fw.enabled: false',
      { overrides: 'acme.fw.var.base: 5' },
      'acme/vpn udp 127.0.0.9:9002 :2',
    ],
    [
      'a named fileset wins over stars',
      '- module: acme\n  fw:',
      { overrides: '"*.*.var": {syslog_port: 1, syslog_host: h}\n"acme.fw.var.syslog_port": 3' },
      fw('h:3'),
    ],
    [
      'a star for the fileset is a fileset',
      '- module: acme\n  fw:',
      { overrides: '"acme.*.var.syslog_port": 2' },
      'unknown-fileset acme/*',
    ],
    [
      'unless it leaves the star off',
      '- module: acme\n  fw.enabled: true',
      { overrides: '"acme.*.enabled": false\nacme.fw.enabled: true' },
      fw('127.0.0.9:9001'),
    ],
    [
      'before 8.0 the star means all',
      '- module: acme',
      { release: '7.17.16', overrides: '"acme.*.var.syslog_port": 2' },
      'acme/fw udp 127.0.0.9:2 :1, acme/vpn udp 127.0.0.9:2 :1',
    ],
    ['-M must name module and fileset', '- module: acme\n  fw:', { overrides: 'acme: 1' }, 'bad-module-override -M'],
    [
      '--modules adds',
      '[]',
      { names: ['acme'], release: '7.17.16' },
      'acme/fw udp 127.0.0.9:9001 :command line, acme/vpn udp 127.0.0.9:9002 :command line',
    ],
    ['--modules alone enables nothing since 8.0', '[]', { names: ['acme'] }, 'no-enabled-fileset acme'],
    [
      'with -M it does',
      '[]',
      { names: ['acme'], overrides: 'acme.fw.enabled: true' },
      fw('127.0.0.9:9001', 'command line'),
    ],
    ['--modules leaves a listed module alone', '- module: acme\n  fw:', { names: ['acme', ''] }, fw('127.0.0.9:9001')],
    [
      'enable_all_filesets turns false into true',
      '- module: acme\n  fw.enabled: false',
      { enableAll: true },
      fw('127.0.0.9:9001'),
    ],
    [
      'force_enable_module_filesets lists all',
      '- module: acme\n  fw.enabled: false',
      { forceEnable: true },
      'acme/fw udp 127.0.0.9:9001 :2, acme/vpn udp 127.0.0.9:9002 :1',
    ],
  ];
  for (const [fact, entry, setting, expected] of rows) test(fact, () => assert.equal(fixed(entry, setting), expected));

  test('of two entries for one module both run, before 8.0 only the last', () => {
    const twice =
      '- module: acme\n  fw.var.syslog_port: 1\n  vpn.enabled: false\n- module: acme\n  fw.var.syslog_port: 2\n  vpn.enabled: false';
    assert.equal(fixed(twice), `${fw('127.0.0.9:1')}, ${fw('127.0.0.9:2', 5)}`);
    assert.equal(fixed(twice, { release: '7.17.16' }), fw('127.0.0.9:2', 5));
  });
});

describe('homes', () => {
  test('without a module folder no module is loaded, which is a fault', () => {
    const made = includedModuleInputs(entries('- module: nosuch')[0]!, homeOf({ view: memoryFiles({}) }));
    assert.ok(made.ok);
    assert.deepEqual([made.value.inputs, made.value.faults[0]?.code], [[], 'no-module-folder']);
  });

  const denied: FileView = {
    ...memoryFiles({}),
    stat: (path) => ({ ok: false, gap: { reason: 'denied', subject: path } }),
  };
  const blind = (text: string, setting: Setting = {}) => {
    const home = homeOf({ view: denied, ...setting });
    const made = includedModuleInputs(entries(text)[0]!, home);
    return [show(made), made.ok && made.value.fallback, home.loader.gaps.length] as const;
  };

  test('if the folder cannot be read, the table is used, with a gap', () => {
    assert.deepEqual(blind('- module: cisco\n  asa.var.syslog_port: 9104'), [
      'cisco/asa udp localhost:9104 :2',
      true,
      1,
    ]);
    assert.deepEqual(blind('- module: cisco\n  asa.input.host: x:1'), ['cisco/asa udp x:1 :2', true, 1]);
  });

  test('the table knows modules that a release lacks, and assumes that others exist', () => {
    assert.equal(blind('- module: zscaler\n  zia:')[0], 'unknown-module zscaler');
    assert.equal(blind('- module: cisco\n  meraki:')[0], 'unknown-fileset cisco/meraki');
    assert.equal(blind('- module: nginx\n  access:')[0], '');
    assert.equal(blind('- module: homemade\n  x:')[0], '');
  });

  test('another release is predicted from the table, not from the home', () => {
    assert.equal(included('- module: acme\n  fw:\n', { table: true }), '');
    assert.equal(
      included('- module: fortinet\n  firewall:\n', { table: true }),
      'fortinet/firewall udp localhost:9004 :2',
    );
  });

  test('a template sees the environment and `path.home`', () => {
    const home = homeOf({ env: { HOST: 'h' } });
    const made = includedModuleInputs(entries('- module: env\n  fs:')[0]!, home);
    assert.ok(made.ok);
    const plain = toPlain(made.value.inputs[0]!.tree, home.scope);
    assert.ok(plain.ok);
    const { host, file } = plain.value as { host: string; file: string };
    assert.deepEqual([host, file], ['h:1', '/h/a']);
  });
});
