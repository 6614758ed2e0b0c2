import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { predicted, summary } from '../support/filebeat.js';
import { certificatePairs, opensslOver } from '../support/web.js';

const KRB = 'auth_type: keytab, keytab: krb5.keytab, config_path: krb5.conf';

const INPUTS = 'filebeat.inputs:\n- {type: udp, host: "127.0.0.1:7001"}\n';
const RUNS = 'udp 127.0.0.1:7001';
const [own, other] = certificatePairs();
const PEM = own.certificate;
const locked = opensslOver(own.key, ['pkcs8', '-topk8', '-v2', 'aes256', '-passout', 'pass:open']);
const lockedOld = opensslOver(own.key, ['ec', '-aes128', '-passout', 'pass:open']);
const CUT = own.certificate.replace(/\n.{64}\n/, '\n');
const FILES = {
  '/etc/fb/ca.pem': PEM,
  '/etc/fb/plain.key': own.key,
  '/etc/fb/late.key': `friendlyName: x\n${own.key}`,
  '/etc/fb/other.key': other.key,
  '/etc/fb/cut.pem': CUT,
  '/etc/fb/chain.pem': `${own.key}${own.certificate}${other.certificate}`,
  '/etc/fb/odd.key': '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n',
  '/etc/fb/krb5.conf': '[libdefaults]\n',
  '/etc/fb/krb5.keytab': Buffer.from([5, 2, 0]),
  '/etc/fb/secret.key': locked,
  '/etc/fb/old.key': lockedOld,
  '/etc/fb/text': 'no certificate',
  '/etc/fb/empty': '',
  '/etc/fb/keystore': 'v1abc',
  '/etc/fb/policy.json': '{}',
};

/** `release`: by default the newest. */
type Row = [fact: string, settings: string, expected: string, release?: string];

/** Settings next to one good input. `own`: the settings have the only output. */
function rows(list: Row[], own = false): void {
  for (const [fact, settings, expected, release] of list)
    test(fact, () => {
      const made = {
        main: `${INPUTS}${settings}\n`,
        files: FILES,
        env: { LIST: 'a,b', WORD: 'w', QUOTED: '"x', EMPTY: '' },
        ...(own ? { args: ['-E', 'output.console.enabled=false'] } : {}),
        ...(release ? { release } : {}),
      };
      const prediction = predicted(made);
      assert.equal(summary(prediction), expected === 'runs' ? RUNS : expected);
      const { reason } = prediction;
      if (prediction.outcome !== 'exits' || !reason) return;
      assert.ok(reason.at?.file, 'a refusal has a position');
      const alone = ['no-output', 'bad-value-text', 'undefined-variable', 'reference-cycle'];
      if (!alone.includes(reason.code)) assert.ok(reason.subject, 'a refusal names its setting');
      if (reason.code === 'bad-value') assert.ok(reason.takes, 'a refused value has a description of valid ones');
    });
}

describe('settings for every event', () => {
  rows([
    ['fields of any depth are resolved', 'fields: {a: {b: ["x", "${NOPE}"]}}', 'exits: undefined-variable'],
    ['a field that is empty in the environment', 'fields.a: ${EMPTY}', 'exits: undefined-variable'],
    ['a field with a default', 'fields.a: ${NOPE:x}', 'runs'],
    ['a field that refers to itself', 'fields.a: ${fields.a}', 'exits: reference-cycle'],
    ['all fields inside one of them', 'fields.a: ${fields}', 'exits: reference-cycle'],
    ['fields as a list are not read', 'fields: ["${NOPE}"]', 'runs'],
    ['fields as a text', 'fields: a', 'exits: wrong-type'],
    ['a field may refer to any setting', 'fields.a: ${output.console}', 'runs'],
    ['fields_under_root is a truth value', 'fields_under_root: 1', 'exits: wrong-type'],
    ['a tag that is undefined', 'tags: [a, "${NOPE}"]', 'exits: undefined-variable'],
    ['tags as a map are an empty list', 'tags: {a: "${NOPE}"}', 'runs'],
    ['a tag that is a list', 'tags: [[a]]', 'exits: wrong-type'],
    ['tags out of a variable', 'tags: ${LIST}', 'runs'],
    ['a name that is a map', 'name: {a: b}', 'exits: wrong-type'],
    ['hostname is read by 9.6', 'hostname: [a]', 'exits: wrong-type'],
    ['hostname is not read by 9.5', 'hostname: [a]', 'runs', '9.5.1'],
    ['timeseries is read even while off', 'timeseries.enabled: maybe', 'exits: wrong-type'],
    ['max_procs may be a fraction', 'max_procs: 1.5', 'runs'],
  ]);
});

describe('the chosen output', () => {
  const output: Row[] = [
    ['none', '', 'exits: no-output'],
    ['a list', 'output: [redis]', 'exits: no-output'],
    ['an empty one lacks its addresses', 'output.elasticsearch:', 'exits: missing-setting'],
    ['an empty one and another', 'output: {discard: {}, redis: }', 'exits: more-than-one-choice'],
    ['a disabled one is not read', 'output: {discard: {}, redis: {enabled: "false", hosts: "${NOPE}"}}', 'runs'],
    [
      'an undefined enabled counts as true',
      'output: {discard: {}, redis.enabled: "${NOPE}"}',
      'exits: more-than-one-choice',
    ],
    ['an unknown one', 'output.zabbix.hosts: [a]', 'exits: unknown-output'],
    ['discard before 8.14', 'output.discard: {}', 'exits: unknown-output', '8.13.4'],
    ['discard', 'output.discard: {}', 'runs', '8.14.0'],
    ['cloud.id selects Elasticsearch', 'cloud.id: "x:YSRiJGM="', 'runs'],
    [
      'cloud.id with Elasticsearch disabled',
      '{cloud.id: "x:YSRiJGM=", output.elasticsearch.enabled: false}',
      'exits: no-output',
    ],
    [
      'cloud.id with other settings of Elasticsearch',
      '{cloud.id: "x:YSRiJGM=", output.elasticsearch.worker: x}',
      'exits: wrong-type',
    ],
    ['cloud.id with too few parts', 'cloud.id: "x:YSRi"', 'exits: bad-value'],
    ['cloud.id beside another output', '{cloud.id: "x:YSRiJGM=", output.discard: {}}', 'exits: settings-exclude'],
    ['an undefined cloud.id counts as absent', '{cloud.id: "${NOPE}", output.discard: {}}', 'runs'],
    ['cloud.auth alone', '{cloud.auth: "a:b", output.discard: {}}', 'exits: missing-setting'],
    ['cloud.auth without a colon', '{cloud.id: "x:YSRiJGM=", cloud.auth: a}', 'exits: bad-value'],
  ];
  rows(
    output.map(([fact, yaml, ...rest]) => [fact, yaml.startsWith('{') ? flat(yaml) : yaml, ...rest]),
    true,
  );
});

/** `{a: b, c: d}` as separate lines, so that other settings can follow. */
function flat(yaml: string): string {
  const [, first = '', second = ''] = /^\{(\S+ (?:"[^"]*"|\S+)), (.*)\}$/.exec(yaml) ?? [];
  return `${first}\n${second}`;
}

/** Settings of one output, with its addresses if it has some. */
function output(name: string, rowsOfIt: Row[], hosts = 'hosts: ["127.0.0.1:1"]'): void {
  describe(`output.${name}`, () => {
    rows(
      rowsOfIt.map(([fact, settings, ...rest]) => {
        const inner = settings.includes('hosts:') || hosts === '' ? settings : `${hosts}, ${settings}`;
        return [fact, `output.${name}: {${inner}}`, ...rest];
      }),
      true,
    );
  });
}

output('elasticsearch', [
  ['addresses as a map are an empty list', 'hosts: {a: b}', 'exits: missing-setting'],
  ['an empty list', 'hosts: []', 'exits: missing-setting'],
  ['one address as a text', 'hosts: localhost', 'runs'],
  ['a null among the addresses', 'hosts: ["localhost", null]', 'runs'],
  ['a port that is a word', 'hosts: ["a:b"]', 'exits: bad-address'],
  ['a bracket that is not closed', 'hosts: ["http://[::1"]', 'exits: bad-address'],
  ['a path, no port, mixed schemes', 'hosts: ["http://a/b", "c", "https://d:1"]', 'runs'],
  ['an unknown setting is not read', 'fooo: "${NOPE}"', 'runs'],
  ['a known one is', 'username: "${NOPE}"', 'exits: undefined-variable'],
  ['a proxy without a scheme', 'proxy_url: "127.0.0.1:3128"', 'exits: bad-value'],
  ['a proxy', 'proxy_url: "http://127.0.0.1:3128"', 'runs'],
  ['compression above 9', 'compression_level: 10', 'exits: bad-value'],
  ['compression below 0', 'compression_level: -1', 'exits: bad-value'],
  ['a negative bulk size', 'bulk_max_size: -1', 'runs'],
  ['a duration in words', 'timeout: 5 minutes', 'exits: bad-value'],
  ['no worker', 'worker: 0', 'exits: bad-value', '8.12.2'],
  ['no worker, since 8.13', 'worker: 0', 'runs', '8.13.4'],
  ['an API key and a name', 'api_key: "a:b", username: c', 'exits: settings-exclude'],
  ['an API key and a password', 'api_key: "a:b", password: c', 'exits: settings-exclude'],
  ['a password out of a variable with a comma', 'password: "${LIST}"', 'exits: wrong-type'],
  ['a password out of a variable with a quote', 'password: "${QUOTED}"', 'exits: bad-value-text'],
  ['headers as a list', 'headers: ["${NOPE}"]', 'runs'],
  ['headers with a map in them', 'headers: {a: {b: c}}', 'exits: wrong-type'],
  ['a fingerprint is not checked', 'ssl.ca_trusted_fingerprint: x', 'runs'],
  ['a policy that is unknown', 'non_indexable_policy.keep: {}', 'exits: removed-or-unknown'],
  ['a policy without its index', 'non_indexable_policy.dead_letter_index: {}', 'exits: missing-setting'],
  ['a policy', 'non_indexable_policy.dead_letter_index.index: x', 'runs'],
  ['a preset that is unknown', 'preset: fast', 'exits: bad-value'],
  ['a preset before 8.12', 'preset: fast', 'runs', '8.11.4'],
  ['a preset has all settings evaluated', 'preset: latency, fooo: "${NOPE}"', 'exits: undefined-variable'],
  ['allow_older_versions', 'allow_older_versions: x', 'exits: wrong-type'],
  ['allow_older_versions in 7.17', 'allow_older_versions: x', 'runs', '7.17.16'],
  ['an index without a template of its own', 'index: x', 'exits: missing-setting'],
  ['a rule for an index without it', 'indices: [{when.has_fields: [a]}]', 'exits: missing-setting'],
  [
    'a rule for a pipeline with an unknown condition',
    'pipelines: [{pipeline: a, when.like.a: b}]',
    'exits: bad-condition',
  ],
  ['rules', 'pipelines: [{pipeline: "%{[a]:b}", when.contains.a: b, mappings: {c: d}, default: e}]', 'runs'],
  ['rules as a text', 'indices: x', 'exits: wrong-type'],
  ['a pipeline that does not close', 'pipeline: "%{[a"', 'exits: bad-value'],
  ['Kerberos with files', `kerberos: {realm: R, ${KRB}}`, 'runs'],
  [
    'Kerberos without its configuration',
    'kerberos: {realm: R, auth_type: keytab, keytab: krb5.keytab, config_path: /x}',
    'exits: named-file-missing',
  ],
  [
    'Kerberos without its keytab',
    'kerberos: {realm: R, auth_type: keytab, config_path: krb5.conf}',
    'exits: missing-setting',
  ],
  [
    'Kerberos whose keytab is text',
    'kerberos: {realm: R, auth_type: keytab, keytab: text, config_path: krb5.conf}',
    'exits: no-keytab',
  ],
  [
    'Kerberos without files while off',
    'kerberos: {enabled: false, realm: R, auth_type: keytab, keytab: x, config_path: /x}',
    'runs',
  ],
  [
    'Kerberos without a password',
    'kerberos: {realm: R, auth_type: password, username: u, config_path: krb5.conf}',
    'exits: missing-setting',
  ],
  ['Kerberos without its realm', 'kerberos: {auth_type: keytab, config_path: /x}', 'exits: missing-setting'],
]);

describe('a custom index name', () => {
  rows(
    [
      [
        'with a template of its own',
        'setup.template: {name: a, pattern: b}\noutput.elasticsearch: {hosts: a, index: x}',
        'runs',
      ],
      [
        'with the pattern missing',
        'setup.template.name: a\noutput.elasticsearch: {hosts: a, index: x}',
        'exits: missing-setting',
      ],
      [
        'with the template disabled',
        'setup.template.enabled: false\noutput.elasticsearch: {hosts: a, index: x}',
        'runs',
      ],
      [
        'setup.ilm makes no difference',
        'setup.ilm.enabled: false\noutput.elasticsearch: {hosts: a, index: x}',
        'exits: missing-setting',
      ],
      [
        'in a broken format',
        'setup.template.enabled: false\noutput.elasticsearch: {hosts: a, index: "%{x}"}',
        'exits: bad-value',
      ],
    ],
    true,
  );
});

output('logstash', [
  ['one address under another name', 'host: a, hosts: ', 'exits: missing-setting'],
  ['a port of its own was long ago', 'port: 5044', 'exits: removed-setting'],
  ['a proxy of another kind', 'proxy_url: "http://a:1"', 'exits: bad-value'],
  ['a SOCKS proxy', 'proxy_url: "socks5://a:1"', 'runs'],
  ['a negative ttl', 'ttl: -1s', 'exits: bad-value'],
  ['no TLS', 'ssl: ', 'runs'],
  ['TLS as a switch', 'ssl: true', 'exits: wrong-type'],
  ['a missing certificate authority', 'ssl.certificate_authorities: [nowhere.pem]', 'exits: named-file-missing'],
  ['one that is not PEM', 'ssl.certificate_authorities: [text]', 'exits: no-certificate'],
  ['one that is empty', 'ssl.certificate_authorities: [empty]', 'exits: no-certificate'],
  ['a valid one', 'ssl.certificate_authorities: ca.pem', 'runs'],
  ['one in the text itself', `ssl.certificate_authorities: ["${PEM.replaceAll('\n', '\\n')}"]`, 'runs'],
  ['a certificate without its key', 'ssl.certificate: ca.pem', 'exits: missing-setting'],
  ['a key without its certificate, TLS disabled', 'ssl: {enabled: false, key: a}', 'exits: missing-setting'],
  ['files are not read while TLS is disabled', 'ssl: {enabled: false, key: a, certificate: b}', 'runs'],
  ['variables are', 'ssl: {enabled: false, key_passphrase: "${NOPE}"}', 'exits: undefined-variable'],
  ['both', 'ssl: {certificate: ca.pem, key: plain.key}', 'runs'],
  ['a key below some text', 'ssl: {certificate: ca.pem, key: late.key}', 'runs'],
  ['a key that is none', 'ssl: {certificate: ca.pem, key: text}', 'exits: no-key'],
  ['a key that needs a passphrase', 'ssl: {certificate: ca.pem, key: secret.key}', 'exits: missing-setting'],
  ['an old one that does', 'ssl: {certificate: ca.pem, key: old.key}', 'exits: missing-setting'],
  ['with a passphrase', 'ssl: {certificate: ca.pem, key: secret.key, key_passphrase: open}', 'runs'],
  ['an old one with a passphrase', 'ssl: {certificate: ca.pem, key: old.key, key_passphrase: open}', 'runs'],
  ['a wrong passphrase', 'ssl: {certificate: ca.pem, key: secret.key, key_passphrase: x}', 'exits: wrong-passphrase'],
  [
    'PKCS#8 of early releases',
    'ssl: {certificate: ca.pem, key: secret.key, key_passphrase: open}',
    'exits: no-key',
    '8.0.0',
  ],
  ['a key of another certificate', 'ssl: {certificate: ca.pem, key: other.key}', 'exits: not-a-pair'],
  ['a chain behind its key', 'ssl: {certificate: chain.pem, key: plain.key}', 'runs'],
  ['a certificate in place of the key', 'ssl: {certificate: ca.pem, key: ca.pem}', 'exits: no-key'],
  ['a key that OpenSSL cannot read', 'ssl: {certificate: ca.pem, key: odd.key}', 'runs'],
  ['a certificate that was cut', 'ssl.certificate_authorities: cut.pem', 'exits: no-certificate'],
  ['verification is a word', 'ssl.verification_mode: false', 'exits: bad-value'],
  ['a cipher that is unknown', 'ssl.cipher_suites: [RSA]', 'exits: bad-value'],
  ['a cipher', 'ssl.cipher_suites: [ECDHE-RSA-AES-128-GCM-SHA256]', 'runs'],
  ['a TLS version that is unknown', 'ssl.supported_protocols: [TLSv1.4]', 'exits: bad-value'],
  ['an unknown setting below ssl', 'ssl.fooo: "${NOPE}"', 'runs'],
]);

output('kafka', [
  ['lz4 with an old broker', 'topic: t, hosts: a, compression: lz4, version: 0.9.0.1', 'exits: bad-value'],
  ['lz4 with a newer one', 'topic: t, hosts: a, compression: lz4, version: 0.10.0', 'runs'],
  [
    'headers with an old broker',
    'topic: t, hosts: a, headers: [{key: a, value: b}], version: 0.10.2',
    'exits: bad-value',
  ],
  ['headers', 'topic: t, hosts: a, headers: [{key: a, value: b}]', 'runs'],
  ['a client with a blank in its name', 'topic: t, hosts: a, client_id: "a b"', 'exits: bad-value', '8.16.0'],
  ['a client with a blank in its name, later', 'topic: t, hosts: a, client_id: "a b"', 'runs', '8.19.21'],
  ['a negative size of a batch', 'topic: t, hosts: a, bulk_max_size: -1', 'exits: bad-value'],
  [
    'Kerberos without a service',
    `topic: t, hosts: a, kerberos: {realm: R, username: u, ${KRB}}`,
    'exits: missing-setting',
  ],
  [
    'Kerberos, whose files are read when it connects',
    'topic: t, hosts: a, kerberos: {realm: R, username: u, service_name: s, auth_type: keytab, keytab: /x, config_path: /x}',
    'runs',
  ],
  ['no topic', 'client_id: a', 'exits: missing-setting'],
  ['topics alone', 'topics: [{topic: a}]', 'runs'],
  ['a topic that does not close', 'topic: "%{[a]"', 'exits: bad-value'],
  ['a version as a number', 'topic: a, version: 2.0', 'runs'],
  ['a version that does not exist', 'topic: a, version: 9.9.9', 'exits: bad-value'],
  ['a newer version', 'topic: a, version: 3.6.0', 'exits: bad-value', '8.16.0'],
  ['compression of a made-up kind', 'topic: a, compression: brotli', 'exits: bad-value'],
  ['compression in any case', 'topic: a, compression: SNAPPY', 'runs'],
  ['zstd', 'topic: a, compression: zstd', 'runs', '9.0.6'],
  ['zstd for the version that 8.19 assumes', 'topic: a, compression: zstd', 'exits: bad-value', '8.19.21'],
  ['zstd for a newer one', 'topic: a, compression: zstd, version: 2.1.0', 'runs', '8.19.21'],
  ['zstd before it was known', 'topic: a, compression: zstd, version: 2.1.0', 'exits: bad-value', '8.16.0'],
  ['gzip accepts levels up to 9', 'topic: a, compression_level: 10', 'exits: bad-value'],
  ['acknowledgements in words', 'topic: a, required_acks: all', 'exits: wrong-type'],
  ['two acknowledgements', 'topic: a, required_acks: 2', 'runs'],
  ['a name without a password', 'topic: a, username: b', 'exits: missing-setting'],
  ['a SASL mechanism that is unknown', 'topic: a, sasl.mechanism: DIGEST', 'exits: bad-value'],
  ['a SASL mechanism in any case', 'topic: a, sasl.mechanism: Scram-Sha-512', 'runs'],
  ['two partitioners', 'topic: a, partition: {hash: {}, random: {}}', 'exits: more-than-one-choice'],
  ['an unknown partitioner', 'topic: a, partition.best: {}', 'exits: removed-or-unknown'],
  ['a partitioner', 'topic: a, partition.round_robin.group_events: 2', 'runs'],
  ['a partitioner with a bad setting', 'topic: a, partition.random.group_events: 0', 'exits: bad-value'],
  ['a timeout below a second', 'topic: a, timeout: 500ms', 'exits: bad-value'],
  ['no attempt at all', 'topic: a, max_retries: 0', 'exits: bad-value'],
  ['idempotent without all acknowledgements', 'topic: a, idempotent: true', 'exits: bad-value'],
  ['idempotent before 9.6', 'topic: a, idempotent: maybe', 'runs', '9.5.1'],
]);

output('redis', [
  ['another data type', 'datatype: stream', 'exits: bad-value'],
  ['another scheme', 'hosts: ["http://a:1"]', 'exits: bad-address'],
  ['its own schemes', 'hosts: ["rediss://:secret@a:1", "redis://b", c]', 'runs'],
  ['a database that is not a number', 'db: first', 'exits: wrong-type'],
]);

output(
  'file',
  [
    ['no path', 'filename: a', 'exits: missing-setting'],
    ['no path before 8.14', 'filename: a', 'runs', '8.13.4'],
    ['one file', 'path: a, number_of_files: 1', 'exits: bad-value'],
    ['too many files', 'path: a, number_of_files: 1025', 'exits: bad-value'],
    ['files without a size', 'path: a, rotate_every_kb: 0', 'exits: bad-value'],
    ['permissions in octal', 'path: a, permissions: 0600', 'runs'],
    ['permissions in letters', 'path: a, permissions: rw', 'exits: wrong-type'],
    ['two codecs', 'path: a, codec: {json: {}, format.string: a}', 'exits: more-than-one-choice'],
    ['an unknown codec', 'path: a, codec.xml: {}', 'exits: removed-or-unknown'],
    ['a format without its text', 'path: a, codec.format: {}', 'exits: missing-setting'],
    ['an empty codec', 'path: a, codec.json: ', 'runs'],
  ],
  '',
);

describe('output.console', () => {
  rows([
    ['pretty is a truth value', 'output.console.pretty: maybe', 'exits: wrong-type'],
    ['the size of a bulk is not read', 'output.console.bulk_max_size: maybe', 'runs'],
    ['a queue below it', 'output.console.queue.mem.events: 4', 'exits: bad-value'],
    ['a queue below it before 8.12', 'output.console.queue.mem.events: 4', 'runs', '8.11.4'],
    ['fields below it', 'output.console.fields: a', 'exits: wrong-type'],
  ]);
});

describe('the queue', () => {
  rows([
    ['a text', 'queue: mem', 'exits: wrong-type'],
    ['nothing', 'queue:', 'runs'],
    ['an empty kind', 'queue.mem:', 'runs'],
    ['an unknown kind', 'queue.best: {}', 'exits: removed-or-unknown'],
    ['two kinds, one disabled', 'queue: {mem.events: 64, mem.flush.min_events: 1, disk.enabled: false}', 'runs'],
    ['fewer events than are waited for', 'queue.mem.events: 32', 'exits: settings-conflict'],
    ['more are waited for by 8.11', 'queue.mem.events: 2000', 'exits: settings-conflict', '8.11.4'],
    ['than by 8.12', 'queue.mem.events: 2000', 'runs', '8.12.0'],
    ['a number with a unit', 'queue.mem.events: 4k', 'exits: wrong-type'],
    ['a number in quotes', 'queue.mem.events: "4096"', 'runs'],
    ['no waiting', 'queue.mem.flush: {min_events: 0, timeout: 0}', 'runs'],
    ['a disk without a size', 'queue.disk: {}', 'exits: missing-setting'],
    ['a disk without a limit', 'queue.disk.max_size: 0', 'runs'],
    ['a disk that is too small', 'queue.disk.max_size: 9MB', 'exits: bad-value'],
    ['sizes with blanks and without B', 'queue.disk: {max_size: 10 GB, segment_size: 1G}', 'runs'],
    ['segments of more than half', 'queue.disk: {max_size: 20MB, segment_size: 15MB}', 'exits: bad-value'],
    ['segments that are too small', 'queue.disk: {max_size: 20MB, segment_size: 1KB}', 'exits: bad-value'],
    [
      'waiting longer than the longest',
      'queue.disk: {max_size: 1G, retry_interval: 9s, max_retry_interval: 3s}',
      'exits: bad-value',
    ],
    ['one below the output and one above', 'queue.mem:\noutput.console.queue.mem:', 'exits: settings-exclude'],
  ]);
});

describe('logging', () => {
  rows([
    ['a text', 'logging: info', 'exits: wrong-type'],
    ['a list', 'logging: [info]', 'runs'],
    ['a level that does not exist', 'logging.level: trace', 'exits: bad-value'],
    ['a level that is empty', 'logging.level: ""', 'exits: bad-value'],
    ['a level as a number', 'logging.level: 3', 'exits: bad-value'],
    ['a level in capitals', 'logging.level: Critical', 'runs'],
    ['too many files', 'logging.files.keepfiles: 1025', 'exits: bad-value'],
    ['no file', 'logging.files.keepfiles: 0', 'runs'],
    ['files without a size', 'logging.files.rotateeverybytes: 0', 'exits: bad-value'],
    ['a size with a unit', 'logging.files.rotateeverybytes: 10MB', 'exits: wrong-type'],
    ['an interval in words', 'logging.files.interval: daily', 'exits: bad-value'],
    ['permissions that are a number', 'logging.files.permissions: 0999', 'runs'],
    ['invalid permissions', 'logging.files.permissions: rw', 'exits: wrong-type'],
    ['selectors of any shape', 'logging.selectors: {a: b}', 'runs'],
    ['a selector that is undefined', 'logging.selectors: ["${NOPE}"]', 'exits: undefined-variable'],
    ['an unknown setting', 'logging.fooo: "${NOPE}"', 'runs'],
    ['metrics are read while off', 'logging.metrics: {enabled: false, period: often}', 'exits: bad-value'],
    ['a negative period', 'logging.metrics.period: -5s', 'exits: bad-value'],
    ['but not while off', 'logging.metrics: {enabled: false, period: -5s}', 'runs'],
    ['no period', 'logging.metrics.period: 0s', 'runs', '9.3.9'],
    ['no period before', 'logging.metrics.period: 0s', 'exits: bad-value', '9.0.6'],
    ['json before 8.0', 'logging.json: maybe', 'exits: wrong-type', '7.17.16'],
    ['json', 'logging.json: maybe', 'runs', '8.0.0'],
    ['event data', 'logging.event_data.files.keepfiles: x', 'exits: wrong-type'],
    ['event data before 8.15', 'logging.event_data.files.keepfiles: x', 'runs', '8.14.4'],
  ]);
});

describe('http', () => {
  rows([
    ['a switch that is none', 'http.enabled: maybe', 'exits: wrong-type'],
    ['disabled, its settings are not read', 'http: {enabled: false, port: x, host: "${NOPE}"}', 'runs'],
    ['but pprof', 'http: {enabled: false, pprof.enabled: "${NOPE}"}', 'exits: undefined-variable'],
    ['not before 8.6', 'http: {enabled: false, pprof.enabled: "${NOPE}"}', 'runs', '8.5.3'],
    ['a pipe', 'http.host: "npipe:///x"', 'exits: not-on-linux'],
    ["a pipe's user", 'http.named_pipe.user: x', 'exits: not-on-linux'],
    ['a buffer', 'http: {enabled: true, buffer: {enabled: true, size: x}}', 'exits: wrong-type'],
    ['a scalar', 'http: true', 'exits: wrong-type'],
  ]);
});

describe('monitoring', () => {
  rows([
    ['a scalar', 'monitoring: true', 'exits: wrong-type'],
    ['nothing', 'monitoring:', 'runs'],
    ['any setting switches it on', 'monitoring.fooo: 1', 'exits: no-monitoring-reporter'],
    ['a switch that is none', 'monitoring.enabled: maybe', 'exits: no-monitoring-reporter'],
    ['disabled', 'monitoring: {enabled: "false", elasticsearch.hosts: "${NOPE}"}', 'runs'],
    ['the cluster alone enables nothing', 'monitoring.cluster_uuid: x', 'runs'],
    [
      'the cluster is read while off',
      'monitoring: {enabled: false, cluster_uuid: "${NOPE}"}',
      'exits: undefined-variable',
    ],
    ['a section without addresses', 'monitoring.elasticsearch:', 'exits: missing-setting'],
    ['an address that cannot be one', 'monitoring.elasticsearch.hosts: ["http://[::1"]', 'exits: bad-address'],
    ['a name and an API key', 'monitoring.elasticsearch: {hosts: a, api_key: b, username: c}', 'runs'],
    [
      'a missing file',
      'monitoring.elasticsearch: {hosts: a, ssl.certificate_authorities: x}',
      'exits: named-file-missing',
    ],
    ['a period in words', 'monitoring.elasticsearch: {hosts: a, metrics.period: often}', 'exits: bad-value'],
    ['another reporter', 'monitoring.kafka: {hosts: a}', 'exits: removed-or-unknown'],
    ['an id that cannot be decoded', 'monitoring: {cloud.id: x, elasticsearch: {}}', 'exits: bad-value'],
    ['its old name before 8.0', 'xpack.monitoring.enabled: true', 'exits: no-monitoring-reporter', '7.17.16'],
    ['its old name', 'xpack.monitoring.enabled: true', 'runs', '8.0.0'],
    [
      'both names',
      'monitoring.elasticsearch.hosts: a\nxpack.monitoring.enabled: true',
      'exits: settings-exclude',
      '7.17.16',
    ],
  ]);
  rows(
    [
      ['the output will do', 'monitoring.enabled: true\noutput.elasticsearch.hosts: a', 'runs'],
      ['with its addresses', 'monitoring.elasticsearch:\noutput.elasticsearch.hosts: a', 'runs'],
      ['Elasticsearch in the cloud will do', 'monitoring.enabled: true\ncloud.id: "x:YSRiJGM="', 'runs'],
    ],
    true,
  );
});

describe('setup', () => {
  rows([
    ['a template as a switch', 'setup.template: off', 'exits: wrong-type'],
    ['a word for no', 'setup.template.enabled: "no"', 'exits: wrong-type'],
    ['read while off', 'setup.template: {enabled: false, settings.index.a: ["${NOPE}"]}', 'exits: undefined-variable'],
    ['settings as a text', 'setup.template.settings: a', 'exits: wrong-type'],
    ['settings as a list', 'setup.template.settings: [{index.a: 1}]', 'runs'],
    [
      'files that are missing',
      'setup.template: {fields: /nowhere, json: {enabled: true, path: /nowhere, name: a}}',
      'runs',
    ],
    ['a type that is unknown before 8.0', 'setup.template.type: x', 'exits: bad-value', '7.17.16'],
    ['an unknown type', 'setup.template.type: x', 'runs', '8.0.0'],
    ['lifecycle as a switch', 'setup.ilm: off', 'exits: wrong-type'],
    ['a mode that is unknown before 8.12', 'setup.ilm.enabled: maybe', 'exits: bad-value', '7.17.16'],
    ['an unknown mode', 'setup.ilm.enabled: maybe', 'runs', '8.12.0'],
    ['a policy that is missing before 8.12', 'setup.ilm.policy_file: /x', 'exits: named-file-missing', '7.17.16'],
    ['a policy', 'setup.ilm.policy_file: policy.json', 'runs', '7.17.16'],
    ['an alias that is empty', 'setup.ilm.rollover_alias: ""', 'exits: missing-setting', '7.17.16'],
    [
      'settings that are not read',
      'setup: {kibana.host: "${NOPE}", dsl.enabled: maybe, dashboards.enabled: false}',
      'runs',
    ],
    ['Kibana as a text', 'setup.kibana: a', 'exits: wrong-type'],
  ]);
});

describe('the rest', () => {
  rows([
    ['a keystore', 'keystore.path: /etc/fb/keystore', 'runs'],
    ['a keystore that is none', 'keystore.path: /etc/fb/text', 'exits: no-keystore'],
    ['a missing keystore', 'keystore.path: /nowhere', 'runs'],
    ['a keystore at an undefined place', 'keystore.path: ${NOPE}', 'exits: undefined-variable'],
    [
      'traces are read while off',
      'instrumentation: {enabled: false, environment: "${NOPE}"}',
      'exits: undefined-variable',
    ],
    ['traces to an address that cannot be one', 'instrumentation.hosts: ["http://[::1"]', 'exits: bad-address'],
    ['traces to a text', 'instrumentation.hosts: "http://a"', 'exits: bad-value'],
    ['traces', 'instrumentation: {enabled: true, hosts: ["http://a:1"]}', 'runs'],
    ['management with anything in it', 'management.fooo: 1', 'exits: managed-without-agent'],
    ['management with an empty enabled', 'management.enabled:', 'exits: managed-without-agent'],
    ['disabled management', 'management: {enabled: "false", fooo: 1}', 'runs'],
    ['an empty management section', 'management:', 'runs'],
    ['management with an invalid enabled before 8.6', 'management.enabled: maybe', 'runs', '7.17.16'],
    ['a precision that is unknown', 'timestamp.precision: second', 'exits: bad-value'],
    ['features as a text', 'features: fqdn', 'exits: wrong-type'],
    ['features as a list', 'features: [fqdn]', 'runs'],
    ['features as a text before 8.7', 'features: fqdn', 'runs', '8.6.2'],
    ['a feature with a bad switch', 'features.fqdn.enabled: maybe', 'runs'],
    ['shutdown in words', 'filebeat.shutdown_timeout: later', 'exits: bad-value'],
    ['the place of the registry', 'filebeat.registry.path: ${NOPE}', 'exits: undefined-variable'],
    ['permissions of the registry', 'filebeat.registry.file_permissions: rw', 'exits: wrong-type'],
    ['an unknown setting', 'filebeat.fooo: ${NOPE}', 'runs'],
  ]);
});

describe('autodiscover', () => {
  const providers = (yaml: string) => `filebeat.autodiscover: {enabled: false, providers: [${yaml}]}`;
  const list: Row[] = [
    ['docker without its socket', '{type: docker, hints.enabled: true}', 'exits: no-daemon'],
    ['docker with a file for a socket', '{type: docker, hints: {}, host: "unix:///etc/fb/text"}', 'exits: no-daemon'],
    [
      'docker on this machine, where there is none',
      '{type: docker, hints: {}, host: "tcp://127.0.0.1:1"}',
      'exits: no-daemon',
    ],
    ['docker elsewhere', '{type: docker, hints: {}, host: "tcp://docker:1"}', 'dynamic: autodiscover'],
    ['docker without templates and hints', '{type: docker, host: "tcp://docker:1"}', 'exits: missing-setting'],
    ['kubernetes outside a cluster', '{type: kubernetes, hints.enabled: true}', 'exits: no-cluster'],
    ['kubernetes with a file', '{type: kubernetes, hints: {}, kube_config: text}', 'dynamic: autodiscover'],
    ['kubernetes with a missing file', '{type: kubernetes, hints: {}, kube_config: x}', 'exits: named-file-missing'],
    ['nomad without its agent', '{type: nomad}', 'exits: no-daemon'],
    ['nomad elsewhere', '{type: nomad, address: "http://nomad:4646"}', 'dynamic: autodiscover'],
    ['jolokia without templates', '{type: jolokia}', 'exits: missing-setting'],
    ['jolokia', '{type: jolokia, templates: [{config: [{type: "${data.x}"}]}]}', 'dynamic: autodiscover'],
    ['a condition that is unknown', '{type: jolokia, templates: [{condition.like.a: b}]}', 'exits: bad-condition'],
    ['no type', '{hints: {}}', 'exits: unknown-provider'],
    ['an undefined variable', '{type: kubernetes, hints: {}, node: "${NOPE}"}', 'exits: undefined-variable'],
  ];
  rows(list.map(([fact, yaml, expected]) => [fact, providers(yaml), expected]));
});

describe('a file that Filebeat reads at its start and the exporter cannot read', () => {
  const input = (rest: string) => `filebeat.inputs:\n- {type: tcp, host: "127.0.0.1:7001", ${rest}}\n`;
  const elastic = (rest: string) => `${INPUTS}output.elasticsearch: {hosts: a, ${rest}}\n`;
  const unread = '/etc/fb/unread';
  const cases: [fact: string, main: string, release?: string][] = [
    ['the certificate of an input', input('ssl: {certificate: unread, key: plain.key}')],
    ['the key of an input', input('ssl: {certificate: ca.pem, key: unread}')],
    [
      'the authorities of an input',
      input('ssl: {certificate: ca.pem, key: plain.key, certificate_authorities: unread}'),
    ],
    ['the certificate of an output', elastic('ssl: {certificate: unread, key: plain.key}')],
    ['the key of an output', elastic('ssl: {certificate: ca.pem, key: unread}')],
    ['the authorities of an output', elastic('ssl.certificate_authorities: unread')],
    ['a keytab', elastic('kerberos: {realm: R, auth_type: keytab, keytab: unread, config_path: krb5.conf}')],
    ['krb5.conf', elastic('kerberos: {realm: R, auth_type: keytab, keytab: krb5.keytab, config_path: unread}')],
    ['the keystore', `${INPUTS}keystore.path: ${unread}\n`],
    ['a script', `${INPUTS}processors: [{script: {lang: javascript, file: unread}}]\n`, '8.0.0'],
    ['a policy for indices', `${INPUTS}setup.ilm.policy_file: unread\n`, '8.11.4'],
    ['definitions of netflow', `filebeat.inputs:\n- {type: netflow, host: ":1", custom_definitions: [unread]}\n`],
    [
      'a configuration of Kubernetes',
      `${INPUTS}filebeat.autodiscover.providers: [{type: kubernetes, hints: {}, kube_config: unread}]\n`,
    ],
    ['config_dir', `${INPUTS}filebeat.config_dir: unread\n`, '8.0.0'],
  ];
  for (const denied of ['read', 'stat'] as const)
    for (const [fact, main, release] of cases)
      test(`${fact} (${denied}) is a gap, and no fault`, () => {
        const args = main.includes('elasticsearch') ? ['-E', 'output.console.enabled=false'] : [];
        const files = { ...FILES, [unread]: { text: '', denied } };
        const { outcome, faults, gaps } = predicted({ main, files, args, env: {}, ...(release ? { release } : {}) });
        assert.ok(outcome === 'runs' || outcome === 'dynamic', outcome);
        assert.deepEqual(faults, []);
        assert.deepEqual(gaps, [{ reason: 'denied', subject: unread }]);
      });

  const positions: [fact: string, main: string, line: number][] = [
    ['a key that OpenSSL does not read', input('ssl: {certificate: ca.pem, key: odd.key}'), 2],
    ['its brother of an output', elastic('ssl: {certificate: ca.pem, key: odd.key}'), 3],
    [
      'a passphrase in a file',
      input('ssl: {certificate: ca.pem, key: secret.key, key_passphrase_path: /etc/fb/text}'),
      2,
    ],
    ['a group that /etc/group does not have', 'filebeat.inputs:\n- {type: unix, path: s, group: ops}\n', 2],
  ];
  for (const [fact, main, line] of positions)
    test(`${fact} is a gap, and no fault`, () => {
      const args = main.includes('elasticsearch') ? ['-E', 'output.console.enabled=false'] : [];
      const files = { ...FILES, '/etc/group': 'root:x:0:', '/etc/nsswitch.conf': 'group: files sss' };
      const { outcome, faults, gaps } = predicted({ main, files, args, env: {} });
      assert.equal(outcome, 'runs');
      assert.deepEqual(faults, []);
      assert.deepEqual(
        gaps.map(({ reason, subject }) => [reason, subject]),
        [['unclear', `/etc/fb/filebeat.yml:${line}`]],
      );
    });

  test('a name that may be in an unreadable keystore is unknown, not undefined', () => {
    const main = `${INPUTS}- {type: udp, host: "\${SECRET}"}\nkeystore.path: ${unread}\n`;
    const { outcome, listeners } = predicted({ main, files: { [unread]: { text: '', denied: 'stat' } }, env: {} });
    assert.equal(outcome, 'runs');
    assert.deepEqual(listeners[1]?.target, { kind: 'unresolved', why: 'keystore' });
  });
});
