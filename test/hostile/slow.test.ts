/**
 * No parser on the scan path is slow: every function that reads text from outside gets megabytes of the same few
 * characters, many of which cause quadratic time in a regular expression or loop. The processor time is measured, so
 * that other load on the machine does not matter.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameInstances } from '../../src/discovery/instances/names.js';
import { parseShell } from '../../src/discovery/shell/parser/shell-parser.js';
import { findInitScripts } from '../../src/discovery/systemd/sysv.js';
import { parseEnvironmentFile } from '../../src/discovery/systemd/unit-files/environment-file.js';
import { parseUnitFile } from '../../src/discovery/systemd/unit-files/unit-file.js';
import { legibleUnit, parseServiceName } from '../../src/discovery/systemd/unit-files/unit-specifiers.js';
import { assignmentOf, expandVariables, splitWords } from '../../src/discovery/systemd/unit-files/unit-words.js';
import { findUnits } from '../../src/discovery/systemd/units.js';
import { preferredFormat } from '../../src/exporter/metrics/accept.js';
import { labelText } from '../../src/exporter/metrics/exposition.js';
import { foreign } from '../../src/exporter/page/layout.js';
import { cut, safe, width, wrap } from '../../src/exporter/terminal/terminal.js';
import { readCommand } from '../../src/filebeat/config/command.js';
import { cleanPath, goMatch } from '../../src/filebeat/files/glob.js';
import { resolveHost } from '../../src/filebeat/net/address.js';
import { parseAddress } from '../../src/filebeat/net/ip.js';
import { parseHosts, parseServices } from '../../src/filebeat/net/name-tables.js';
import { validTokenizer } from '../../src/filebeat/processors/dissect.js';
import { isRate } from '../../src/filebeat/processors/processor-checks.js';
import { compileScript } from '../../src/filebeat/processors/script-syntax.js';
import { readableTime } from '../../src/filebeat/processors/time-layout.js';
import { newestRelease, parseRelease } from '../../src/filebeat/releases/releases.js';
import { parseTemplate } from '../../src/filebeat/template/template-parse.js';
import { goFormat } from '../../src/filebeat/template/template-print.js';
import { parseDuration, parseSize } from '../../src/filebeat/tree/checks.js';
import { parseExpression } from '../../src/filebeat/tree/expression.js';
import { parseGoFloat, parseGoInt } from '../../src/filebeat/tree/go-number.js';
import { validGoRegexp } from '../../src/filebeat/tree/go-regexp.js';
import { parsePath } from '../../src/filebeat/tree/tree.js';
import { goTrim, parseValue } from '../../src/filebeat/tree/value.js';
import { parseYaml } from '../../src/filebeat/yaml/yaml.js';
import { resolvePlain } from '../../src/filebeat/yaml/yaml-scalar.js';
import { parseCgroup } from '../../src/proc/cgroup.js';
import { freezerFiles } from '../../src/proc/halt.js';
import { differingMounts, mountAt } from '../../src/proc/mounts.js';
import {
  parseBootTime,
  parseCmdline,
  parseEnviron,
  parseExecutable,
  parseIdMap,
  parseMaxOpenFiles,
  parseStat,
  parseStatus,
} from '../../src/proc/process-files.js';
import { defectText } from '../../src/runtime/defect.js';
import { createLogger } from '../../src/runtime/log.js';
import { blockedAt } from '../../src/scan/thread/blocked-path.js';
import { parseDuration as parseSettingsDuration } from '../../src/settings/duration.js';
import { parseSettings } from '../../src/settings/settings.js';
import { parseFibTrie, parseIfInet6, parseUdpCounters } from '../../src/sockets/namespaces.js';
import { parseSocketTable } from '../../src/sockets/parsed-table.js';
import { loadState } from '../../src/state/memory-text.js';
import { parseWebConfig } from '../../src/web/config/web-config.js';
import { parseExternalUrl, parseRoutePrefix } from '../../src/web/external-url.js';
import { parseListenAddress } from '../../src/web/listen-address.js';
import { subjectAltNames } from '../../src/web/tls.js';
import { shellWord } from '../../src/words/locations.js';
import { memoryFiles, predicted } from '../support/filebeat.js';

const SIZE = Number(process.env['SLOW_BYTES'] ?? 1_000_000);
/** First a sixteenth, so that quadratic time is found quickly. */
const PROBE = Math.floor(SIZE / 16);
const WHOLE = 2;
/** Processor time for a megabyte and for the sixteenth, in milliseconds. */
const MOST = 20_000;
const MOST_OF_PROBE = 4000;

/** Repeated patterns; some with a prefix or suffix that makes a match fail at the end. */
const shapes: (string | { before?: string; again: string; after?: string })[] = [
  ...[
    'a',
    '-',
    ' ',
    '\n',
    '\\',
    '/',
    '.',
    '*',
    '[',
    '{',
    '(',
    '$',
    '"',
    "'",
    ':',
    '#',
    '%',
    '=',
    '0',
    '~',
    '\t',
    '\u202e',
  ],
  ...[
    '- ',
    'a: ',
    'a.',
    '- a: b\n',
    '${',
    '$(',
    '{{',
    '%{',
    '%i',
    '[a',
    '&a ',
    '*a ',
    '!a ',
    '{a: ',
    '\n ',
    ' \n',
    'a=b\n',
    'a b ',
    '\r\n',
  ],
  ...[
    '/../',
    '/a',
    '[Service]\n',
    'a\\\n',
    '"a" ',
    '$a',
    '((',
    'if a; then\n',
    'a;',
    'a|',
    '`a`',
    '<<E\n',
    '(?:',
    'a|b',
    '[^a',
    'é',
    '-E\0',
  ],
  ...['{{if .a}}', '{{.a}}', '(a*', 'a, ', '1.', '\x1b[1m', '<', '&', '0::/a/', 'a@', '"\n'],
  { again: '-', after: 'a' },
  { before: '/', again: '-', after: '.yml' },
  { again: ' ', after: 'x' },
  { before: '"', again: 'a' },
  { before: "'", again: '\n' },
  { before: '[', again: 'a-z' },
  { before: '${', again: 'a:' },
  { before: 'a: "', again: '\\n' },
  { before: 'a: [', again: 'b, ' },
  { before: 'a: |\n', again: ' b\n' },
  { before: 'ExecStart=/bin/sh -c ', again: '"' },
  { before: '[Service]\nExecStart=/usr/share/filebeat/bin/filebeat ', again: '-c a ' },
  { before: '[Service]\n', again: 'ExecStart=\n' },
  { before: 'filebeat.inputs:\n', again: '- type: udp\n  host: ":9000"\n' },
];

const made = (shape: (typeof shapes)[number], size: number): string => {
  const { before = '', again, after = '' } = typeof shape === 'string' ? { again: shape } : shape;
  return `${before}${again.repeat(Math.ceil(size / again.length))}${after}`;
};

const names = { hosts: () => [], service: () => undefined };
const log = createLogger({ level: 'info', format: 'logfmt', write: () => undefined, now: () => 0 });
const program = '/usr/share/filebeat/bin/filebeat';
const request = { id: 'a', mainFiles: ['/a.yml'], pathData: '/a' };

const readers: Record<string, (text: string) => unknown> = {
  'names of instances': (text) =>
    nameInstances([
      { ...request, mainFiles: [`/x/${text}`, text], pathData: text },
      { ...request, id: 'b', unit: `a@${text}.service` },
      { ...request, id: 'c', container: text, remembered: text },
    ]),
  'unit files': (text) => parseUnitFile(text),
  'unit names': (text) => [parseServiceName(text), legibleUnit(text), assignmentOf(text)],
  'words of unit files': (text) => [splitWords(text), expandVariables([text], { a: 'b' })],
  'environment files': (text) => parseEnvironmentFile(text),
  units: (text) =>
    findUnits(memoryFiles({ '/etc/systemd/system/filebeat.service': text, [program]: '' }), {
      processNames: [],
      running: ['filebeat.service'],
    }),
  'init scripts': (text) =>
    findInitScripts(
      memoryFiles({ '/etc/init.d/filebeat': text.slice(0, 250_000), [program]: '' }),
      { processNames: [], running: ['filebeat.service'] },
      [],
    ),
  'shell scripts': (text) => tolerant(() => parseShell(text, 'bash')),
  'command lines': (text) => [
    readCommand(['filebeat', ...parseCmdline(text)], newestRelease),
    readCommand(['filebeat', '-E', text], newestRelease),
  ],
  YAML: (text) => parseYaml(Buffer.from(text)),
  'plain scalars': (text) => resolvePlain(text),
  'a configuration': (text) => predicted({ main: text }),
  templates: (text) => tolerant(() => parseTemplate(text, () => true)),
  'printf of templates': (text) => goFormat(text, ['a']),
  'variables and values': (text) => [parseExpression(text), parseValue(text), goTrim(text)],
  'dotted keys': (text) => tolerant(() => parsePath(text)),
  'numbers, sizes, durations, releases': (text) => [
    ...[parseSize(text), parseDuration(text), parseSettingsDuration(text), parseGoFloat(text), parseGoInt(text, true)],
    ...[parseRelease(text), isRate(text), readableTime(text, text), validTokenizer(text)],
  ],
  'regular expressions of others': (text) => validGoRegexp(text),
  'scripts of processors': (text) => compileScript(text),
  globs: (text) => [goMatch(text, 'filebeat.yml'), goMatch('*a*b', text), goMatch(text, text), cleanPath(text)],
  'hosts and addresses': (text) => [
    ...[parseAddress(text), parseHosts(text), parseServices(text)],
    ...[
      resolveHost(text, 'udp', 'any', names),
      parseListenAddress(text),
      parseExternalUrl(text),
      parseRoutePrefix(text),
    ],
  ],
  'files of /proc': (text) => [
    ...[parseStat(`1 (${text}`), parseStatus(text), parseCgroup(text), parseEnviron(text), parseExecutable(text)],
    ...[parseIdMap(text), parseBootTime(text), parseMaxOpenFiles(text), freezerFiles(text)],
    ...[
      mountAt(text, text),
      differingMounts(text, text),
      blockedAt(`/proc/1/root/${text}`, { procfs: '/proc', rootfs: '/' }),
    ],
  ],
  'tables of the network': (text) => [
    ...[
      parseSocketTable(Buffer.from(text), 'udp', 4),
      parseFibTrie(text),
      parseIfInet6(text),
      parseUdpCounters(text, text),
    ],
  ],
  'settings, web configuration, state': (text) => [
    ...[parseSettings(Buffer.from(text), 'a.yml'), parseWebConfig(Buffer.from(text), 'a.yml'), loadState(text)],
    ...[subjectAltNames(text), preferredFormat(text)],
  ],
  'what is told': (text) => [
    ...[safe(text), width(text), cut(text, 80), wrap(text, 80), foreign(text), labelText('instance', [text, text])],
    ...[shellWord(text), defectText(new Error(text)), log.info(text, () => ({ a: text }))],
  ],
};

/** A parser that throws for invalid text, as its caller expects. */
function tolerant(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

/** Milliseconds of processor time. */
function cost(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

describe('no parser is slow', () => {
  for (const [what, reads] of Object.entries(readers))
    it(`${what}: a megabyte of any pattern is read fast`, (context) => {
      const probes = shapes.map((shape) => {
        const ms = cost(() => reads(made(shape, PROBE)));
        assert.ok(ms < MOST_OF_PROBE, `${JSON.stringify(shape)}: ${ms.toFixed(0)} ms for ${PROBE} characters`);
        return { shape, ms };
      });
      // A whole megabyte of the slowest patterns.
      const worst = probes.sort((a, b) => b.ms - a.ms).slice(0, WHOLE);
      const told = worst.map(({ shape }) => {
        const ms = cost(() => reads(made(shape, SIZE)));
        assert.ok(ms < MOST, `${JSON.stringify(shape)}: ${ms.toFixed(0)} ms for ${SIZE} characters`);
        return `${JSON.stringify(shape)} ${ms.toFixed(0)} ms`;
      });
      context.diagnostic(`${shapes.length} shapes of ${PROBE} characters; of ${SIZE}: ${told.join(', ')}`);
    });
});
