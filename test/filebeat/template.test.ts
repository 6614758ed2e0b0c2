import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderTemplate } from '../../src/filebeat/template/template.js';
import { timed } from '../support/cpu.js';

const variables = {
  builtin: { prefix: 'filebeat', beatVersion: '8.1.0', module: 'm', fileset: 'f' },
  host: 'localhost',
  port: 9001,
  float: { float: 9106 },
  tags: ['forwarded', 'x'],
  none: null,
  empty: '',
  map: { b: 1, a: [true, null] },
  devices: [{ hostname: 'h' }, {}],
};

const render = (text: string) => {
  const result = renderTemplate(text, variables);
  return result.ok ? result.text : `${result.fault.code}${result.fault.at ? ` line ${result.fault.at.line}` : ''}`;
};

function table(title: string, rows: [text: string, expected: string][]): void {
  describe(title, () => {
    for (const [text, expected] of rows)
      test(`${text} gives ${JSON.stringify(expected)}`, () => assert.equal(render(text), expected));
  });
}

table('values print as Go prints them', [
  ['{{.host}}:{{.port}}', 'localhost:9001'],
  ['{{ .float }}', '9106'],
  ['{{ .tags }}', '[forwarded x]'],
  ['{{ .map }}', 'map[a:[true <nil>] b:1]'],
  ['{{ .none }}', '<no value>'],
  ['{{ .none | tojson }}', 'null\n'],
  ['{{ .map | tojson }}', '{"a":[true,null],"b":1}\n'],
  ['{{ "<&>" | tojson }}', '"<&>"\n'],
  ['{{ printf "%s:%v %q %d%%" .host .port "a\\"b" 5 }}', 'localhost:9001 "a\\"b" 5%'],
  ['{{ printf "%d" .host }}', '%!d(string=localhost)'],
  ['{{ IngestPipeline "p" }}', 'filebeat-8.1.0-m-f-p'],
]);

table('decisions', [
  ['{{ if eq .host "a" }}1{{ else if eq .host "localhost" }}2{{ else }}3{{ end }}', '2'],
  ['{{ if .empty }}1{{ end }}', ''],
  ['{{ if and .host (inList .tags "forwarded") }}1{{ end }}', '1'],
  ['{{ if not .none }}1{{ end }}', '1'],
  ['{{ if or .empty .port }}{{ or .empty .port }}{{ end }}', '9001'],
  ['{{ with .port }}{{ . }}{{ else }}x{{ end }}', '9001'],
  ['{{ if eq .none "a" }}1{{ else }}2{{ end }}', '2'],
  ['{{ if gt (len .tags) 1 }}1{{ end }}', '1'],
]);

table('loops', [
  ['{{ range .tags }}-{{ . }}{{ end }}', '-forwarded-x'],
  ['{{ range $i, $t := .tags }}{{ $i }}{{ $t }}{{ end }}', '0forwarded1x'],
  ['{{ range $k, $v := .map }}{{ $k }}{{ end }}', 'ab'],
  ['{{ range .none }}1{{ else }}2{{ end }}', '2'],
  ['{{ range $t := .tags }}{{ if eq $t "x" }}{{ break }}{{ end }}{{ $t }}{{ end }}', 'forwarded'],
  ['{{ range .tags }}{{ $.port }}{{ end }}', '90019001'],
  ['{{ $a := 1 }}{{ range .tags }}{{ $a = 2 }}{{ end }}{{ $a }}', '2'],
]);

table('blanks', [
  ['a {{- .port -}} b', 'a9001b'],
  ['a {{- /* c */ -}} b', 'ab'],
  ['{{-1}}', '-1'],
  ['{{ "}}" }}', '}}'],
  ['{{ `raw\\n` }}', 'raw\\n'],
]);

table('errors', [
  ['{{ .missing }}', 'template-failed'],
  ['{{ if .missing }}{{ end }}', 'template-failed'],
  ['{{ range $d := .devices }}{{ $d.hostname }}{{ end }}', 'template-failed'],
  ['{{ range .host }}{{ end }}', 'template-failed'],
  ['{{ inList .host "x" }}', 'template-failed'],
  ['{{ inList .none "x" }}', 'template-failed'],
  ['{{ eq .host 5 }}', 'template-failed'],
  ['{{ .host.name }}', 'template-failed'],
  ['a\n{{ if }}{{ end }}', 'template-failed line 2'],
  ['{{ if .host }}', 'template-failed line 1'],
  ['{{ end }}', 'template-failed line 1'],
  ['{{ .host', 'template-failed line 1'],
  ['{{ if false }}{{ nofunction }}{{ end }}', 'template-failed line 1'],
  ['{{ break }}', 'template-failed line 1'],
  ['{{ $x }}', 'template-failed line 1'],
  ['{{ template "x" }}', 'template-unsupported line 1'],
  ['{{ html .host }}', 'template-unsupported'],
]);

test('a fault never quotes a value', () => {
  const result = renderTemplate('{{ inList .password "x" }}', { password: 'hunter2' });
  assert.ok(!result.ok && !JSON.stringify(result).includes('hunter2'));
});

describe('limits', () => {
  const long = Array.from({ length: 1000 }, () => 'x'.repeat(100));
  const rows: [fact: string, text: string][] = [
    [
      'loops within loops',
      '{{ range $a := .l }}{{ range $b := $.l }}{{ range $c := $.l }}x{{ end }}{{ end }}{{ end }}',
    ],
    ['nesting', `${'{{ if .l }}'.repeat(5000)}${'{{ end }}'.repeat(5000)}`],
    ['brackets', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`],
    ['output', `{{ range .l }}{{ $.l }}{{ end }}`],
  ];
  for (const [fact, text] of rows)
    test(`rendering without limit ends within a second: ${fact}`, () => {
      const { result, seconds } = timed(() => renderTemplate(text, { l: long }));
      assert.ok(!result.ok && result.fault.code === 'template-unsupported', JSON.stringify(result).slice(0, 100));
      assert.ok(seconds < 1, `${seconds} s`);
    });
});
