import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predict } from '../../src/filebeat/predict.js';
import { HOSTS, type Made, memoryFiles, predicted, summary } from '../support/filebeat.js';
import { certificatePairs } from '../support/web.js';

const [own, other] = certificatePairs();

type Row = [fact: string, made: Made | string, expected: string];

function table(rows: Row[]): void {
  for (const [fact, made, expected] of rows) {
    test(fact, () => {
      const wanted = typeof made === 'string' ? { main: made } : made;
      assert.equal(summary(predicted(wanted)), expected);
    });
  }
}

const good = '- {type: udp, host: "127.0.0.1:7001"}\n';
/** A good input and a second one. */
const beside = (input: string): string => `filebeat.inputs:\n${good}- ${input}\n`;
const GOOD = 'udp 127.0.0.1:7001';

describe('effects of a bad input of the main file', () => {
  table([
    ['an unknown type stops the start', beside('{type: syslogd}'), 'exits: unknown-input'],
    ['types are case-sensitive', beside('{type: UDP, host: ":7002"}'), 'exits: unknown-input'],
    [
      'an entry without type is a log input and lacks paths',
      { main: beside('{host: ":7002"}'), release: '8.19.21' },
      'exits: no-paths',
    ],
    ['an entry that is a text stops the start', beside('udp'), 'exits: wrong-type'],
    ['an empty entry counts as a log input', { main: beside(''), release: '8.19.21' }, 'exits: no-paths'],
    ['a negative size is refused', beside('{type: udp, host: ":7002", max_message_size: -5}'), 'exits: bad-value'],
    ['a size of zero passes', beside('{type: udp, host: ":7002", max_message_size: 0}'), `${GOOD}, udp *:7002`],
    ['a huge receive buffer passes', beside('{type: udp, host: ":7002", read_buffer: 900GiB}'), `${GOOD}, udp *:7002`],
    [
      'read_buffer is ignored before 7.2',
      { main: beside('{type: udp, host: ":7002", read_buffer: much}'), release: '6.8.23' },
      `${GOOD}, udp *:7002`,
    ],
    [
      'a duration needs its unit when it is a text',
      beside('{type: udp, host: ":7002", timeout: "30"}'),
      'exits: bad-value',
    ],
    [
      'a bare number is a duration in seconds',
      beside('{type: udp, host: ":7002", timeout: 30}'),
      `${GOOD}, udp *:7002`,
    ],
    [
      'a bare number from a variable is not a duration',
      { main: beside('{type: udp, host: ":7002", timeout: "${T}"}'), env: { T: '30' } },
      'exits: bad-value',
    ],
    ['tcp refuses a timeout of zero', beside('{type: tcp, host: ":7002", timeout: 0}'), 'exits: bad-value'],
    ['udp accepts a timeout of zero', beside('{type: udp, host: ":7002", timeout: 0}'), `${GOOD}, udp *:7002`],
    ['an input id may not be a list', beside('{type: udp, host: ":7002", id: [a]}'), 'exits: wrong-type'],
    [
      'an input id may be a list for 7.17',
      { main: beside('{type: udp, host: ":7002", id: [a]}'), release: '7.17.16' },
      `${GOOD}, udp *:7002`,
    ],
    [
      'two equal inputs stop the start, whatever the order of their keys',
      beside('{host: "127.0.0.1:7001", type: udp}'),
      'exits: identical-inputs',
    ],
    [
      'a key without a value does not make two inputs different',
      beside('{host: "127.0.0.1:7001", type: udp, tags: }'),
      'exits: identical-inputs',
    ],
    [
      'an undefined variable in any field stops the start',
      beside('{type: udp, host: ":7002", fields: {a: "${NOWHERE}"}}'),
      'exits: undefined-variable',
    ],
    [
      'an undefined variable in a disabled input has no effect',
      beside('{type: udp, host: "${NOWHERE}", enabled: false}'),
      GOOD,
    ],
    ['tags may be anything', beside('{type: udp, host: ":7002", tags: 5}'), `${GOOD}, udp *:7002`],
    [
      'processors as a map are an empty list',
      beside('{type: udp, host: ":7002", processors: {nosuch: {}}}'),
      `${GOOD}, udp *:7002`,
    ],
    ['stdin has to be alone', beside('{type: stdin}'), 'exits: stdin-not-alone'],
    ['a second tcp input without host stops the start', beside('{type: tcp}'), 'exits: missing-setting'],
    [
      'an empty line delimiter is refused',
      beside('{type: tcp, host: ":7002", line_delimiter: ""}'),
      'exits: bad-value',
    ],
    [
      'a tcp certificate without key is refused',
      beside('{type: tcp, host: ":7002", ssl: {certificate: /x.pem}}'),
      'exits: missing-setting',
    ],
    [
      'a missing certificate of tcp ends only that input',
      beside('{type: tcp, host: ":7002", ssl: {certificate: /x.pem, key: /x.key}}'),
      GOOD,
    ],
    [
      'a lumberjack version that does not exist is refused',
      beside('{type: lumberjack, versions: [v3]}'),
      'exits: bad-value',
    ],
    ['lumberjack has a default address', beside('{type: lumberjack}'), `${GOOD}, tcp 127.0.0.1:5044`],
    ['http_endpoint has a default address', beside('{type: http_endpoint}'), `${GOOD}, tcp 127.0.0.1:8000`],
    ['http_endpoint wants both of a pair', beside('{type: http_endpoint, secret.header: a}'), 'exits: missing-setting'],
    [
      'a number of workers of zero is refused from 9.2',
      beside('{type: udp, host: ":7002", number_of_workers: 0}'),
      'exits: bad-value',
    ],
    [
      'a number of workers of zero is ignored by 8.19',
      { main: beside('{type: udp, host: ":7002", number_of_workers: 0}'), release: '8.19.21' },
      `${GOOD}, udp *:7002`,
    ],
  ]);
});

describe('inputs that read files', () => {
  const log = (rest: string): Made => ({ main: beside(`{type: log, paths: [/x], ${rest}}`), release: '8.19.21' });
  const stream = (rest: string): string => beside(`{type: filestream, id: a, paths: [/x], ${rest}}`);
  table([
    ['a log input opens no socket', log('tags: [a]'), GOOD],
    ['enabled has to be a truth value for log', log('enabled: "yes"'), 'exits: wrong-type'],
    ['clean_inactive needs ignore_older', log('clean_inactive: 1h'), 'exits: bad-value'],
    ['clean_inactive has to be the longer one', log('clean_inactive: 1h, ignore_older: 2h'), 'exits: bad-value'],
    ['both in order are fine', log('clean_inactive: 3h, ignore_older: 2h'), GOOD],
    ['an unknown encoding is refused', log('encoding: klingon'), 'exits: bad-value'],
    ['a known one is not', log('encoding: windows1252'), GOOD],
    ['Go has no look-ahead', log('exclude_lines: ["^(?!a)"]'), 'exits: bad-value'],
    ['an open bracket is not a valid pattern', log('include_lines: ["[a"]'), 'exits: bad-value'],
    ['classes and groups are', log('include_lines: ["^[[:alpha:]]+(?P<x>a|b)\\\\)"]'), GOOD],
    ['multiline needs a pattern', log('multiline.match: after'), 'exits: missing-setting'],
    ['multiline needs to know where to add lines', log('multiline: {pattern: a, match: between}'), 'exits: bad-value'],
    [
      'json with multiline needs a key',
      log('json.keys_under_root: true, multiline: {pattern: a, match: after}'),
      'exits: missing-setting',
    ],
    ['filestream accepts parsers', stream('parsers: [{ndjson: {}}, {multiline: {pattern: a, match: after}}]'), GOOD],
    ['an unknown parser is refused', stream('parsers: [{json: {}}]'), 'exits: bad-value'],
    ['kafka needs topics', beside('{type: kafka, hosts: [a], group_id: b}'), 'exits: missing-setting'],
    [
      'equal filestream ids stop the start from 9.0, disabled ones too',
      beside('{type: filestream, id: a, paths: [/x]}\n- {type: filestream, id: a, paths: [/y], enabled: false}'),
      'exits: filestream-id-twice',
    ],
    [
      'log runs as filestream by a feature, if it has an id',
      `features.log_input_run_as_filestream.enabled: true\n${beside('{type: log, id: a, paths: [/x]}')}`,
      GOOD,
    ],
    [
      'without an id it is refused',
      `features.log_input_run_as_filestream.enabled: true\n${beside('{type: log, paths: [/x]}')}`,
      'exits: missing-setting',
    ],
    [
      'a number does not allow a deprecated input',
      beside('{type: log, paths: [/x], allow_deprecated_use: 1}'),
      'exits: deprecated-input',
    ],
    ['a quoted true is one', beside('{type: log, paths: [/x], allow_deprecated_use: "true"}'), GOOD],
  ]);
});

describe('processors', () => {
  const with_ = (type: string, processor: string): string =>
    beside(`{type: ${type}, ${type === 'syslog' ? 'protocol.udp.host' : 'host'}: ":7002", processors: [${processor}]}`);
  table([
    ['an unknown one ends only the udp input from 8.7', with_('udp', '{nosuch: {}}'), GOOD],
    [
      'an unknown one of udp stops the start before 8.7',
      { main: with_('udp', '{nosuch: {}}'), release: '8.6.2' },
      'exits: unknown-processor',
    ],
    [
      'an unknown one of netflow ends only that input from 8.16',
      { main: with_('netflow', '{nosuch: {}}'), release: '8.16.0' },
      GOOD,
    ],
    [
      'an unknown one of netflow ends the process before 8.16',
      { main: with_('netflow', '{nosuch: {}}'), release: '8.15.5' },
      'exits: unknown-processor',
    ],
    ['an unknown one of syslog always stops the start', with_('syslog', '{nosuch: {}}'), 'exits: unknown-processor'],
    [
      'two actions in one entry are refused',
      with_('syslog', '{drop_event: , drop_fields: {fields: [a]}}'),
      'exits: bad-processor',
    ],
    [
      'a processor without a required setting is refused',
      with_('syslog', '{drop_fields: {}}'),
      'exits: missing-setting',
    ],
    [
      'if, then and else are checked',
      with_('syslog', '{if: {equals: {a: 1}}, then: [{nosuch: {}}]}'),
      'exits: unknown-processor',
    ],
    [
      'an invalid condition is refused',
      with_('syslog', '{drop_event: {when: {equal: {a: 1}}}}'),
      'exits: bad-condition',
    ],
    [
      'conditions may be nested',
      with_('syslog', '{drop_event: {when: {not: {and: [{has_fields: [a]}, {or: [{has_fields: [b]}]}]}}}}'),
      `${GOOD}, udp *:7002`,
    ],
    [
      'at the top level a bad one stops the start',
      `processors: [{nosuch: {}}]\n${beside('{type: udp}')}`,
      'exits: unknown-processor',
    ],
    ['a missing script file ends only a udp input', with_('udp', '{script: {lang: javascript, file: gone.js}}'), GOOD],
  ]);
});

describe('syslog protocols', () => {
  const syslog = (rest: string): string => beside(`{type: syslog${rest}}`);
  table([
    ['none stops the start', syslog(''), 'exits: no-protocol'],
    ['a text stops the start', syslog(', protocol: udp'), 'exits: wrong-type'],
    ['two stop the start', syslog(', protocol: {udp: {host: ":1"}, tcp: {host: ":1"}}'), 'exits: more-than-one-choice'],
    [
      'a disabled one does not count',
      syslog(', protocol: {udp: {host: ":7002"}, tcp: {enabled: false}}'),
      `${GOOD}, udp *:7002`,
    ],
    ['upper case is another name', syslog(', protocol: {UDP: {host: ":7002"}}'), 'exits: no-protocol'],
    ['udp without host opens a random port', syslog(', protocol.udp: '), `${GOOD}, udp *:0`],
    ['tcp without host stops the start', syslog(', protocol.tcp: {}'), 'exits: missing-setting'],
    [
      'network belongs below the protocol',
      syslog(', network: nonsense, protocol.udp.host: ":7002"'),
      `${GOOD}, udp *:7002`,
    ],
    ['a unix socket is not a port', syslog(', protocol.unix.path: /run/s'), GOOD],
    ['an offset is a time zone', syslog(', timezone: "+05:30", protocol.udp.host: ":7002"'), `${GOOD}, udp *:7002`],
    [
      'a made-up time zone is refused',
      syslog(', timezone: Atlantis/City, protocol.udp.host: ":7002"'),
      'exits: bad-value',
    ],
  ]);
});

describe('enabled', () => {
  const spelled: [spelling: string, on: boolean][] = [
    ['false', false],
    ['no', false],
    ['off', false],
    ['n', false],
    ['N', false],
    ['"false"', false],
    ['"f"', false],
    ['"0"', false],
    ['"F"', false],
    ['FALSE', false],
    ['"no"', true],
    ['"off"', true],
    ['0', true],
    ['0.0', true],
    ['""', true],
    ['~', true],
    ['[]', true],
    ['{}', true],
    ['maybe', true],
    ['[false]', true],
    ['${NOWHERE}', true],
  ];
  for (const [spelling, on] of spelled) {
    // An undefined variable counts as true and then stops the start; with a default it is only a value.
    const value = spelling === '${NOWHERE}' ? '"${NOWHERE:x}"' : spelling;
    test(`enabled: ${spelling} means ${on ? 'on' : 'off'}`, () => {
      const text = beside(`{type: udp, host: ":7002", enabled: ${value}}`);
      assert.equal(summary(predicted({ main: text })), on ? `${GOOD}, udp *:7002` : GOOD);
    });
  }
  table([
    [
      'off from a variable is false',
      { main: beside('{type: udp, host: ":7002", enabled: "${E}"}'), env: { E: 'off' } },
      GOOD,
    ],
    [
      'no from a variable is only a text',
      { main: beside('{type: udp, host: ":7002", enabled: "${E}"}'), env: { E: 'no' } },
      `${GOOD}, udp *:7002`,
    ],
  ]);
});

describe('the program as a whole', () => {
  const whole = (text: string): string => `${text}\n${beside('{type: udp, host: ":7002"}')}`;
  const BOTH = `${GOOD}, udp *:7002`;
  table([
    ['without inputs the start stops', 'a: 1', 'exits: nothing-enabled'],
    [
      'if everything is disabled, the start stops',
      'filebeat.inputs: [{type: udp, enabled: false}]',
      'exits: nothing-enabled',
    ],
    ['included files alone are enough', 'filebeat.config.inputs.path: none/*.yml', 'nothing'],
    ['disabled included files are not', 'filebeat.config.inputs: {enabled: false, path: x}', 'exits: nothing-enabled'],
    ['an empty autodiscover section is enough', 'filebeat.autodiscover.providers: []', 'nothing'],
    [
      'autodiscover makes inputs of its own',
      {
        main: 'filebeat.autodiscover.providers: [{type: kubernetes, kube_config: cluster, hints.enabled: true}]',
        files: { '/etc/fb/cluster': '' },
      },
      'dynamic: autodiscover',
    ],
    [
      'an unknown autodiscover provider stops the start',
      'filebeat.autodiscover.providers: [{type: x}]',
      'exits: unknown-provider',
    ],
    ['two outputs stop the start', whole('output.file.path: /x'), 'exits: more-than-one-choice'],
    ['a second, disabled output does not', whole('output.file: {path: /x, enabled: false}'), BOTH],
    [
      'an undefined variable in the output stops the start',
      whole('output.console.pretty: ${NOWHERE}'),
      'exits: undefined-variable',
    ],
    [
      'two queues stop the start',
      whole('queue: {mem: {events: 64}, disk: {max_size: 1GB}}'),
      'exits: more-than-one-choice',
    ],
    ['queue.spool is gone in 8.0', whole('queue.spool.file.path: /x'), 'exits: removed-or-unknown'],
    ['a queue that is too small stops the start', whole('queue.mem.events: 31'), 'exits: bad-value'],
    ['max_procs has to be a number', whole('max_procs: all'), 'exits: wrong-type'],
    ['a log level that does not exist stops the start', whole('logging.level: loud'), 'exits: bad-value'],
    ['log levels know no case', whole('logging.level: ERROR'), BOTH],
    ['management in the file needs an agent', whole('management.enabled: true'), 'exits: managed-without-agent'],
    [
      'management on the command line is an agent',
      { main: whole(''), args: ['-E', 'management.enabled=true'] },
      'dynamic: managed',
    ],
    ['a bad cloud.id stops the start', whole('cloud.id: what'), 'exits: bad-value'],
    ['unknown keys at the top do no harm', whole('whatever: {a: "${NOWHERE}"}'), BOTH],
    [
      'prospectors are refused from 7.0 on, even without a value',
      { main: `filebeat.prospectors:\n${beside('{type: udp}')}`, release: '7.8.0' },
      'exits: removed-setting',
    ],
    [
      'prospectors were read by 6.8',
      { main: 'filebeat.prospectors: [{type: udp, host: ":7002"}]', release: '6.8.23' },
      'udp *:7002',
    ],
    ['config_dir is gone in 9.2', whole('filebeat.config_dir: x'), 'exits: removed-setting'],
    [
      'output.discard is known from 8.19',
      {
        main: `output.console.enabled: false\noutput.discard: {}\n${beside('{type: udp}')}`,
        args: ['-E', 'output.console.enabled=false'],
        release: '8.10.5',
      },
      'exits: unknown-output',
    ],
    ['the top may not be split over a list and a map without being a list', '- a\n- b', 'exits: nothing-enabled'],
  ]);
});

describe('the stats endpoint', () => {
  const http = (text: string): string => `${text}\nfilebeat.inputs:\n${good}`;
  table([
    ['is off by default', http(''), GOOD],
    ['has a default address', http('http.enabled: true'), `tcp 127.0.0.1:5066, ${GOOD}`],
    ['any setting of it switches it on', http('http.port: 5999'), `tcp 127.0.0.1:5999, ${GOOD}`],
    ['enabled has to be a truth value', http('http: {enabled: 1, port: 5999}'), 'exits: wrong-type'],
    ['is disabled with enabled: false', http('http: {enabled: false, port: 5999}'), GOOD],
    ['accepts a port in octal', http('http: {enabled: true, port: 05150}'), `tcp 127.0.0.1:2664, ${GOOD}`],
    ['refuses an IPv6 address', http('http: {enabled: true, host: "::1"}'), 'exits: bad-value'],
    ['refuses a port in its host', http('http: {enabled: true, host: "localhost:1"}'), 'exits: bad-value'],
    [
      'may be a URL with a port',
      http('http: {enabled: true, host: "http://127.0.0.1:5151"}'),
      `tcp 127.0.0.1:5151, ${GOOD}`,
    ],
    [
      'may be a unix socket, which is not a port',
      { main: http('http: {enabled: true, host: "unix:///run/x.sock"}'), files: { '/run/x': '' } },
      GOOD,
    ],
    [
      'cannot be a unix socket where no folder is',
      http('http: {enabled: true, host: "unix:///run/fb/x.sock"}'),
      'exits: folder-missing',
    ],
    [
      'is left out by 6.8 when its address is wrong',
      { main: http('http: {enabled: true, host: "::1"}'), release: '6.8.23' },
      GOOD,
    ],
  ]);
});

test('paths of certificates are relative to the current directory', () => {
  const main = beside('{type: tcp, host: ":7002", ssl: {certificate: x.pem, key: x.key}}');
  const files = { '/etc/fb/x.pem': own.certificate, '/etc/fb/x.key': own.key };
  assert.equal(summary(predicted({ main, files })), `${GOOD}, tcp *:7002`);
});

test('an id that is not a string is a fault only for inputs of API v2, in 8.19', () => {
  const release = '8.19.21';
  assert.equal(summary(predicted({ main: beside('{type: log, id: {a: 1}, paths: [/x]}'), release })), GOOD);
  assert.equal(summary(predicted({ main: beside('{type: udp, id: {a: 1}}'), release })), 'exits: wrong-type');
  assert.equal(
    summary(predicted({ main: beside('{type: log, id: {a: 1}, paths: [/x]}'), release: '8.15.0' })),
    'exits: wrong-type',
  );
});

test('the release is read from a home that only the file names', () => {
  const files = memoryFiles({
    ...HOSTS,
    '/etc/fb/filebeat.yml': `path.home: /opt/fb\noutput.console: {}\nfilebeat.inputs:\n${good}`,
    '/opt/fb/README.md': '# Welcome to Filebeat 8.10.5\n',
  });
  const { release } = predict({ argv: ['filebeat'], cwd: '/etc/fb', env: {}, uid: 0 }, files);
  assert.deepEqual(release, { version: '8.10.5', source: 'readme' });
});

describe('settings that inputs of 7.17 and 8 to 9 refuse', () => {
  const endpoint = (settings: string): string =>
    beside(`{type: http_endpoint, listen_address: 127.0.0.1, listen_port: 8001, ${settings}}`);
  const netflow = beside('{type: netflow, host: "127.0.0.1:2055", custom_definitions: [own.yml]}');
  const defined = (text: string) => ({ main: netflow, files: { '/etc/fb/own.yml': text } });
  const both = `${GOOD}, tcp 127.0.0.1:8001`;
  const flows = `${GOOD}, udp 127.0.0.1:2055`;
  table([
    ['a method before 8.12', { main: endpoint('method: GET'), release: '8.11.4' }, both],
    ['a method since', { main: endpoint('method: GET'), release: '8.12.2' }, 'exits: bad-value'],
    ['crc before 8.9', { main: endpoint('crc.provider: nobody'), release: '8.8.2' }, both],
    ['crc since: a provider that does not exist', endpoint('crc.provider: nobody, crc.secret: s'), 'exits: bad-value'],
    ['crc since: no secret', endpoint('crc.provider: zoom'), 'exits: missing-setting'],
    ['a url without its slash', { main: endpoint('url: logs'), release: '8.19.21' }, both],
    ['a url that ends its input', { main: endpoint('url: logs'), release: '8.14.4' }, GOOD],
    ['a url that ends the process', { main: endpoint('url: logs'), release: '9.0.6' }, 'exits: bad-value'],
    ['definitions', defined('2:\n- :uint32\n- :bytes\n3: [4, packets]\n4: [":skip"]'), flows],
    ['definitions for each enterprise', defined('9: {1: [string, name]}'), flows],
    ['an empty file of definitions', defined(''), 'exits: bad-value'],
    ['a list of definitions', defined('- [string, name]'), 'exits: bad-value'],
    ['an unknown type', defined('1: [text, name]'), 'exits: bad-value'],
    ['a field without a name', defined('1: [string]'), 'exits: bad-value'],
    ['definitions that are no YAML', defined('1: ['), 'exits: bad-value'],
    [
      'workers below zero',
      { main: beside('{type: netflow, host: "127.0.0.1:2055", workers: -1}'), release: '8.16.0' },
      'exits: bad-value',
    ],
    [
      'workers before 8.16',
      { main: beside('{type: netflow, host: "127.0.0.1:2055", workers: -1}'), release: '8.14.4' },
      flows,
    ],
    [
      'a setting of the publisher that is not a boolean',
      beside('{type: udp, host: ":7002", publisher_pipeline.disable_host: maybe}'),
      'exits: wrong-type',
    ],
  ]);
});

describe('TLS of a tcp input', () => {
  const tls = (ssl: string, release: string, files: Record<string, string> = {}) => ({
    main: beside(`{type: tcp, host: "127.0.0.1:7003", ssl: {${ssl}}}`),
    release,
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/fb/${name}`, text])),
  });
  const pair = 'certificate: c.pem, key: k.pem';
  const pem = { 'c.pem': `of: here\n${own.certificate}`, 'k.pem': own.key };
  const both = `${GOOD}, tcp 127.0.0.1:7003`;
  table([
    ['certificate and key', tls(pair, '9.6.0', pem), both],
    ['a key of another certificate', tls(pair, '9.6.0', { ...pem, 'k.pem': other.key }), GOOD],
    [
      'a key of another certificate, before 8.7',
      tls(pair, '7.17.16', { ...pem, 'k.pem': other.key }),
      'exits: certificate-unusable',
    ],
    ['a file without a key', tls(pair, '9.6.0', { ...pem, 'k.pem': 'secret' }), GOOD],
    [
      'a file without a key, before 8.7',
      tls(pair, '7.17.16', { ...pem, 'k.pem': 'secret' }),
      'exits: certificate-unusable',
    ],
    ['a key instead of a certificate', tls(pair, '9.6.0', { ...pem, 'c.pem': '-----BEGIN PRIVATE KEY-----\n' }), GOOD],
    ['a missing certificate authority', tls(`${pair}, certificate_authorities: [ca.pem]`, '9.6.0', pem), GOOD],
    [
      'a key without certificate, TLS disabled',
      tls('enabled: false, key: k.pem', '9.6.0', pem),
      'exits: missing-setting',
    ],
    ['missing files, TLS disabled', tls(`enabled: false, ${pair}`, '9.6.0'), both],
    ['an unknown mode, TLS disabled', tls('enabled: false, verification_mode: x', '9.6.0'), 'exits: bad-value'],
    ['a curve that does not exist', tls(`${pair}, curve_types: [P-1]`, '9.6.0', pem), 'exits: bad-value'],
  ]);
});

describe('parts of a file that Filebeat ignores', () => {
  const ignored = (made: Made | string) =>
    predicted(typeof made === 'string' ? { main: made } : made).faults.map(
      ({ code, subject, at }) => `${code} ${subject ?? ''} ${at!.file.replace('/etc/fb/', '')}:${at!.line}`,
    );
  const list = `filebeat.inputs:\n${good}`;

  test('a list that is written twice', () => {
    assert.deepEqual(ignored(`${list}${list}`), ['key-twice filebeat.inputs filebeat.yml:3']);
    assert.deepEqual(ignored(`filebeat:\n  inputs: []\n  inputs:\n  ${good}`), ['key-twice inputs filebeat.yml:3']);
  });
  test('a host that is written twice', () => {
    assert.deepEqual(ignored('filebeat.inputs:\n- type: udp\n  host: ":1"\n  host: ":2"\n'), [
      'key-twice host filebeat.yml:4',
    ]);
    const main = 'filebeat.config.inputs: {path: "d/*.yml", reload.enabled: true}\n';
    const files = { '/etc/fb/d/a.yml': '- type: udp\n  host: ":1"\n  host: ":2"\n' };
    assert.deepEqual(ignored({ main, files }), ['key-twice host d/a.yml:3']);
  });
  test('a second document, unless it is empty', () => {
    assert.deepEqual(ignored(`${list}---\n${list}`), ['second-document  filebeat.yml:4']);
    assert.deepEqual(ignored(`${list}---\n# nothing\n`), []);
    assert.deepEqual(ignored(`---\n${list}...\n`), []);
  });
  test('an ignored part loses the listeners that nothing else declares', () => {
    const lost = (made: Made | string) =>
      predicted(typeof made === 'string' ? { main: made } : made).faults.flatMap(({ code, costs }) =>
        costs === undefined
          ? [code]
          : costs.map(({ protocol, port, reload }) => `${code} ${protocol} ${port}${reload ? ' reloaded' : ''}`),
      );
    const other = '- {type: udp, host: "127.0.0.1:7009"}\n';
    assert.deepEqual(lost(`filebeat.inputs:\n${other}${list}`), ['key-twice udp 7009']);
    assert.deepEqual(lost(`filebeat.inputs:\n${good}${other}${list}`), ['key-twice udp 7009']);
    assert.deepEqual(lost(`filebeat:\n  inputs:\n  ${other}  inputs:\n  ${good}`), ['key-twice udp 7009']);
    assert.deepEqual(lost(`filebeat:\n  inputs:\n  ${other}filebeat:\n  inputs:\n  ${good}`), ['key-twice udp 7009']);
    assert.deepEqual(lost(`${list}---\nfilebeat.inputs:\n${other}`), ['second-document udp 7009']);
    assert.deepEqual(lost(`${list}--- # more\n---\nfilebeat.inputs:\n${other}...\n`), ['second-document udp 7009']);
    const off = '- {type: udp, host: "127.0.0.1:7009", enabled: false}\n';
    assert.deepEqual(lost(`${list}---\nfilebeat.inputs:\n${off}`), []);
    assert.deepEqual(lost(`${list}---\nfilebeat.inputs: [\n`), []);
    const main = 'filebeat.config.inputs: {path: "d/*.yml", reload.enabled: true}\n';
    assert.deepEqual(lost({ main, files: { '/etc/fb/d/a.yml': `${good}---\n${other}` } }), [
      'second-document udp 7009 reloaded',
    ]);
  });
  test('keys that do not affect ports, and keys from merges, are not reported', () => {
    assert.deepEqual(ignored(`${list}output.console.enabled: false\noutput.console.enabled: true\n`), []);
    assert.deepEqual(ignored(`x: &x {host: ":1"}\nfilebeat.inputs:\n- {<<: *x, type: udp, host: ":2"}\n`), []);
  });
});

describe('settings of http_endpoint and unix that later releases have added', () => {
  const endpoint = (more: string, release: string) => ({ main: beside(`{type: http_endpoint, ${more}}`), release });
  const unix = (more: string, release: string) => ({ main: beside(`{type: unix, path: /etc/fb/s, ${more}}`), release });
  const both = `${GOOD}, tcp 127.0.0.1:8000`;
  table([
    ['half an HMAC', endpoint('hmac.key: x', '7.17.16'), 'exits: missing-setting'],
    ['half an HMAC, before 7.14', endpoint('hmac.key: x', '7.13.5'), both],
    ['a tracer without a file', endpoint('tracer.maxsize: 1', '8.19.21'), 'exits: missing-setting'],
    ['a disabled tracer', endpoint('tracer.enabled: false', '8.19.21'), both],
    ['a tracer without a switch', endpoint('tracer.enabled: false', '8.14.4'), 'exits: missing-setting'],
    ['a tracer, long before', endpoint('tracer: {}', '8.1.3'), both],
    ['a negative body', endpoint('max_body_bytes: -1', '9.3.9'), 'exits: bad-value'],
    ['a negative body, before 8.18', endpoint('max_body_bytes: -1', '8.16.0'), both],
    ['a unix socket', unix('socket_type: datagram, line_delimiter: ""', '9.6.0'), GOOD],
    ['a stream without an end of lines', unix('line_delimiter: ""', '9.6.0'), 'exits: bad-value'],
    ['a datagram socket before 7.11', unix('socket_type: datagram, line_delimiter: ""', '7.10.2'), 'exits: bad-value'],
    ['a framing that does not exist, before 7.12', unix('framing: x', '7.11.2'), GOOD],
    ['a framing that does not exist', unix('framing: x', '7.17.16'), 'exits: bad-value'],
  ]);
});

describe('filestream', () => {
  const row = (fact: string, more: string, release: string, expected: string): Row => [
    fact,
    { main: beside(`{type: filestream, id: a, paths: [/var/log/x], ${more}}`), release },
    expected,
  ];
  table([
    row(
      'two ways to tell files apart',
      'file_identity: {native: {}, path: {}}',
      '8.19.21',
      'exits: more-than-one-choice',
    ),
    row('an unknown way', 'file_identity.inode: {}', '8.19.21', 'exits: bad-value'),
    row('fingerprints that nobody takes', 'file_identity.fingerprint: {}', '8.19.21', 'exits: missing-setting'),
    row('fingerprints that are computed by default', 'file_identity.fingerprint: {}', '9.0.6', GOOD),
    row('fingerprints before 8.10', 'file_identity.fingerprint: {}', '8.9.2', 'exits: bad-value'),
    row(
      'too short a fingerprint',
      'prospector.scanner.fingerprint: {enabled: true, length: 63}',
      '8.19.21',
      'exits: bad-value',
    ),
    row('a pause of none', 'backoff.init: 0', '7.17.16', 'exits: bad-value'),
    row('a switch that is a word', 'close.on_state_change.renamed: often', '8.19.21', 'exits: wrong-type'),
    row('an encoding that does not exist', 'encoding: utf-9', '8.19.21', 'exits: bad-value'),
    row('a line terminator that does not exist', 'line_terminator: crlf', '8.19.21', 'exits: bad-value'),
    row('cleaning without ignoring', 'clean_inactive: 72h', '9.3.9', 'exits: bad-value'),
    row('cleaning as before', 'clean_inactive: 72h, legacy_clean_inactive: true', '9.3.9', GOOD),
    row('cleaning, before 9.3', 'clean_inactive: 72h', '8.19.21', GOOD),
  ]);
});

describe('log', () => {
  const row = (fact: string, more: string, expected: string): Row => [
    fact,
    { main: beside(`{type: log, paths: [/var/log/x], ${more}}`), release: '8.19.21' },
    expected,
  ];
  table([
    row('an order without sorting', 'scan.order: up', GOOD),
    row('an unknown order', 'scan: {sort: modtime, order: up}', 'exits: bad-value'),
    row('a pause of none between scans', 'scan_frequency: 0', 'exits: bad-value'),
    row('a switch below json that is a word', 'json.keys_under_root: often', 'exits: wrong-type'),
    row('json as it should be', 'json: {message_key: a, keys_under_root: true}', GOOD),
  ]);
});
