/** The web configuration file: accepted settings, refusals with key and line, and that values are never repeated. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, utimesSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { problemText } from '../../src/filebeat/yaml/yaml-schema.js';
import { watchConfig } from '../../src/web/config/current-config.js';
import { parseWebConfig } from '../../src/web/config/web-config.js';
import { subjectAltNames } from '../../src/web/tls.js';
import { until } from '../support/live.js';
import { needsProgram } from '../support/needs.js';
import { type Folder, makeCertificate, openssl, temporaryFolder } from '../support/web.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const hash = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const parse = (text: string) => parseWebConfig(Buffer.from(text), '/etc/exporter/web.yml');
const problems = (text: string) => {
  const result = parse(text);
  return result.ok ? [] : result.problems.map((problem) => problemText('web.yml', problem));
};
const config = (text: string) => {
  const result = parse(text);
  assert.ok(result.ok, problems(text).join('\n'));
  return result.config;
};
const tls = (more: string) => `tls_server_config:\n  cert_file: a.crt\n  key_file: a.key\n${more}`;

describe('the web configuration file', () => {
  it('gives plain HTTP without users if it is empty', () => {
    for (const text of ['', '# nothing\n', 'tls_server_config:\nbasic_auth_users:\n', 'tls_server_config: {}']) {
      const { tls, users, headers } = config(text);
      assert.deepEqual([tls, users.size, headers.size], [undefined, 0, 0], text);
    }
  });

  it('resolves paths relative to its own folder, and accepts absolute ones', () => {
    const found = config('tls_server_config: {cert_file: tls/a.crt, key_file: /keys/a.key}').tls;
    assert.deepEqual(
      [found?.certificate, found?.privateKey],
      [
        { key: 'tls_server_config.cert_file', line: 1, path: '/etc/exporter/tls/a.crt' },
        { key: 'tls_server_config.key_file', line: 1, path: '/keys/a.key' },
      ],
    );
  });

  it('accepts Go’s names of versions, suites, curves and client authentication', () => {
    const found = config(
      tls(`  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP384, X25519]
  client_auth_type: RequireClientCert
`),
    ).tls;
    assert.deepEqual(found?.ciphers?.split(':').at(-1), 'ECDHE-RSA-AES256-GCM-SHA384');
    assert.equal(found?.ciphers?.split(':').length, 4, 'the three suites of TLS 1.3 are always there');
    assert.equal(found?.ecdhCurve, 'P-384:X25519');
    assert.equal(found?.honorCipherOrder, false);
    assert.equal(found?.clientAuth, 'RequireAnyClientCert');
  });

  it('accepts users, headers and a rate limit', () => {
    const found = config(`basic_auth_users: {alice: ${hash}, "bob the 2nd": ${hash}}
http_server_config:
  headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=60, X-XSS-Protection: ""}
rate_limit: {interval: 1m0.5s, burst: 3}
`);
    assert.deepEqual([...found.users.keys()], ['alice', 'bob the 2nd']);
    assert.deepEqual([...found.headers.keys()], ['X-Frame-Options', 'Strict-Transport-Security']);
    assert.deepEqual(found.rateLimit, { interval: 60.5, burst: 3 });
    assert.equal(config('rate_limit: {interval: 0s, burst: 0}').rateLimit, undefined);
  });

  it('may contain names of keys in comments and values', () => {
    const text = `# basic_auth_users: nobody\nbasic_auth_users: {burst: ${hash}} # headers: none, headers: none\n`;
    assert.equal(config(text).users.size, 1);
  });

  it('reports settings that have no effect', () => {
    const notices = config(`http_server_config: {http2: true}\nbasic_auth_users: {a: ${hash}}`).notices;
    assert.deepEqual(
      notices.map(({ key, line }) => [key, line]),
      [
        ['http_server_config.http2', 1],
        ['basic_auth_users', 2],
      ],
    );
    assert.deepEqual(config('http_server_config: {http2: false}').notices, []);
  });

  const refused: [string, string, RegExp][] = [
    ['a key that nobody knows', 'tls_config: {}', /^web\.yml:1: tls_config: unknown key/],
    ['a section of another shape', 'basic_auth_users: [a]', /:1: basic_auth_users: expected a map/],
    ['broken YAML', 'basic_auth_users:\n  a: "x\n', /^web\.yml:\d: expected YAML/],
    ['a document that is no map', '- a', /^web\.yml:1: expected a map/],
    ['a certificate without a key', 'tls_server_config:\n  cert_file: a.crt', /expected key_file or key/],
    ['a section that would fall back to plain HTTP', 'tls_server_config:\n  min_version: TLS13', /expected cert_file/],
    ['an empty name', 'tls_server_config: {cert_file: "", key_file: a}', /cert_file: expected the name of a PEM file/],
    ['a key without a value', 'tls_server_config:\n  cert_file: a\n  key_file:', /:3: .*key_file: expected a value/],
    ['both a file and a text', tls('  cert: x'), /:4: tls_server_config\.cert: expected either this or cert_file/],
    [
      'a client authentication of another name',
      tls('  client_auth_type: Always'),
      /:4: .*client_auth_type: expected one of/,
    ],
    ['verification without a CA', tls('  client_auth_type: RequireAndVerifyClientCert'), /expected with it client_ca/],
    ['a CA without client authentication', tls('  client_ca_file: ca.crt'), /:4: .*client_ca_file: expected with it/],
    ['allowed names without verification', tls('  client_allowed_sans: [a]'), /client_allowed_sans: expected with it/],
    ['an empty list of names', tls('  client_allowed_sans: []'), /expected at least one name/],
    [
      'versions that OpenSSL 3 does not offer',
      tls('  min_version: TLS10'),
      /:4: .*min_version: expected one of TLS12, TLS13/,
    ],
    [
      'versions in the wrong order',
      tls('  min_version: TLS13\n  max_version: TLS12'),
      /:5: .*max_version: expected at least/,
    ],
    [
      'a suite of OpenSSL’s spelling',
      tls('  cipher_suites:\n  - AES128-SHA'),
      /:5: .*cipher_suites\[0\]: expected one of TLS_/,
    ],
    ['a curve that is none', tls('  curve_preferences: [P-1]'), /curve_preferences\[0\]: expected one of X25519/],
    ['a truth value in words', tls('  prefer_server_cipher_suites: perhaps'), /expected true or false/],
    ['a header that may not be set', 'http_server_config: {headers: {Server: x}}', /headers\.Server: unknown key/],
    ['another frame option', 'http_server_config: {headers: {X-Frame-Options: ALLOW}}', /expected deny or sameorigin/],
    ['a header of two lines', 'http_server_config: {headers: {X-XSS-Protection: "a\\nb"}}', /expected one line/],
    [
      'a password instead of its hash',
      'basic_auth_users:\n  alice: hunter2',
      /:2: basic_auth_users: expected a bcrypt hash/,
    ],
    ['a hash that takes minutes', `basic_auth_users: {a: ${hash.replace('$10$', '$31$')}}`, /cost 4 to 16/],
    ['a user name with a colon', `basic_auth_users: {"a:b": ${hash}}`, /without a colon/],
    ['a user without a hash', 'basic_auth_users:\n  alice:\n', /:2: basic_auth_users: expected a bcrypt hash/],
    ['a number for a duration', 'rate_limit: {interval: 5, burst: 1}', /interval: expected a duration/],
    [
      'a duplicate section',
      `basic_auth_users: {a: ${hash}}\nbasic_auth_users: # nobody\n`,
      /:2: basic_auth_users: expected once/,
    ],
    [
      'a duplicate key',
      tls('  client_auth_type: NoClientCert\n  "client_auth_type": RequestClientCert'),
      /:5: tls_server_config.client_auth_type: expected once/,
    ],
    ['a bucket that holds nothing', 'rate_limit: {interval: 1s}', /expected burst/],
  ];
  for (const [title, text, expected] of refused) {
    it(`is refused with ${title}`, () => {
      assert.match(problems(text).join('\n'), expected);
    });
  }

  it('reports all problems at once', () => {
    assert.equal(problems('rate_limit: {interval: x, burst: y}\nbasic_auth_users: {a: b}\nnope: 1').length, 4);
  });

  it('never repeats a value or a user', () => {
    const secret = 'S3cretCanary';
    const places = refused.map(([, text]) => text).concat(tls('  client_ca: x\n  client_allowed_sans: [x, 1]'));
    const seeded = places.flatMap((text) => [
      text.replaceAll(/(: |\[|- )["']?[\w.$/-]+["']?(?=[,\]}\n]|$)/g, `$1${secret}`),
      text.replaceAll(/(: )["']?[\w.$/-]+["']?(?=[,\]}\n]|$)/g, `$1[${secret}]`),
      `basic_auth_users: {${secret}: x, "${secret}:": ${hash}}\n${text}`,
      `${text}\n"${secret}`,
      `${text}\n? [${secret}]\n: x`,
      `${text}\n"${secret} with blanks": 1`,
    ]);
    const said = seeded.map((text) => problems(text).join('\n'));
    assert.ok(said.filter((text) => text !== '').length > seeded.length * 0.9, 'the seeds are mostly problems');
    assert.deepEqual(
      said.filter((text) => text.includes(secret)),
      [],
    );
  });
});

describe('the files that the web configuration names', () => {
  let folder: Folder;
  before(() => {
    folder = temporaryFolder();
    makeCertificate(folder, 'a');
    makeCertificate(folder, 'b');
    openssl(
      ['rsa', '-aes128', '-passout', 'pass:x', '-out', folder.path('locked.key')],
      ['-in', folder.write('rsa.key', openssl(['genrsa', '512']))],
    );
    openssl([
      'req',
      '-x509',
      '-key',
      folder.path('rsa.key'),
      '-days',
      '2',
      '-subj',
      '/CN=weak',
      '-out',
      folder.path('weak.crt'),
    ]);
    folder.write('empty', '');
    folder.write('broken', '-----BEGIN CERTIFICATE-----\nS3cretCanary\n-----END CERTIFICATE-----\n');
    spawnSync('mkfifo', [folder.path('fifo')]);
    mkdirSync(folder.path('folder'));
  });
  after(() => folder.remove());
  const failure = (lines: string): string => {
    const file = folder.write('web.yml', `tls_server_config:\n${lines}`);
    try {
      watchConfig(file, () => undefined);
    } catch (error) {
      return (error as Error).message.replace(`${folder.path('')}/`, '');
    }
    return 'accepted';
  };

  it('are accepted if they are valid', () => {
    assert.equal(failure('  cert_file: a.crt\n  key_file: a.key\n'), 'accepted');
    const indented = (name: string) => folder.read(name).trim().replaceAll('\n', '\n    ');
    assert.equal(failure(`  cert: |\n    ${indented('a.crt')}\n  key: |\n    ${indented('a.key')}\n`), 'accepted');
  });

  const wrong: [string, string, RegExp][] = [
    ['is missing', '  cert_file: none.crt\n  key_file: a.key', /^web\.yml:2: tls_server_config\.cert_file: .*ENOENT/],
    [
      'is a folder',
      '  cert_file: a.crt\n  key_file: folder',
      /^web\.yml:3: tls_server_config\.key_file: is not a regular/,
    ],
    ['is a FIFO that nobody writes to', '  cert_file: fifo\n  key_file: a.key', /cert_file: is not a regular file/],
    ['is empty', '  cert_file: empty\n  key_file: a.key', /:2: .*cert_file: expected a PEM certificate/],
    ['is no certificate inside', '  cert_file: broken\n  key_file: a.key', /cert_file: expected a PEM certificate/],
    [
      'is a certificate where a key should be',
      '  cert_file: a.crt\n  key_file: a.crt',
      /:3: .*key_file: expected a PEM private/,
    ],
    [
      'is a key with a passphrase',
      '  cert_file: a.crt\n  key_file: locked.key',
      /key_file: expected a key without a passphrase/,
    ],
    ['is the key of another certificate', '  cert_file: a.crt\n  key_file: b.key', /key_file: does not belong/],
    ['is a key too weak for OpenSSL', '  cert_file: weak.crt\n  key_file: rsa.key', /cert_file: OpenSSL refuses/],
    [
      'is an authority without a certificate',
      '  cert_file: a.crt\n  key_file: a.key\n  client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: a.key',
      /:5: .*client_ca_file: expected PEM certificates/,
    ],
  ];
  for (const [title, lines, expected] of wrong) {
    it(`are refused with key and line if one ${title}`, () => {
      const said = failure(lines);
      assert.match(said, expected);
      assert.ok(!said.includes('S3cretCanary'));
    });
  }

  it('are not opened if the web configuration is missing', () => {
    assert.throws(
      () => watchConfig(folder.path('nowhere.yml'), () => undefined),
      /nowhere\.yml: the file cannot be read \(ENOENT\)/,
    );
  });
});

describe('a web configuration that changes while the server runs', () => {
  let folder: Folder;
  before(() => {
    folder = temporaryFolder();
    makeCertificate(folder, 'a');
  });
  after(() => folder.remove());
  const locked = `tls_server_config: {cert_file: a.crt, key_file: a.key}\nbasic_auth_users: {a: ${hash}}\n`;
  const watch = (rest: number) => {
    const logged: string[] = [];
    folder.write('web.yml', locked);
    return {
      current: watchConfig(folder.path('web.yml'), (level, text) => logged.push(`${level}: ${text}`), rest),
      logged,
    };
  };

  it('never removes protection while a file is rewritten in place, however often', () => {
    const { current, logged } = watch(1);
    for (let round = 0; round < 300; round++) {
      for (const text of ['', locked.slice(0, 20), locked.slice(0, 70), locked]) {
        folder.write('web.yml', text);
        const { config, secure } = current();
        assert.ok(config.users.size === 1 && secure !== undefined, `round ${round}`);
      }
    }
    assert.deepEqual(logged, [], 'nothing was taken, and nothing refused');
  });

  it('is used once its files have been unchanged for a second, whatever their timestamps', async () => {
    const { current } = watch(1);
    const changed = locked.replace('{a:', '{b:');
    folder.write('web.yml', changed);
    const began = performance.now();
    // Timestamps as left by `cp --preserve`: mtime is old, but ctime is not.
    utimesSync(folder.path('web.yml'), 1, 1);
    const found = await until('it is taken', () => (current().config.users.has('b') ? performance.now() : undefined));
    assert.ok(found - began >= 990, `after ${found - began} ms`);
  });

  it('that is empty, or has an empty section of TLS or users, is refused', () => {
    const { current, logged } = watch(0);
    for (const text of ['', '# none\n', locked.replace(/\{a: .*\}/, ''), locked.replace(/\{cert.*\}/, '{}')]) {
      folder.write('web.yml', text);
      const { config, secure } = current();
      assert.ok(config.users.size === 1 && secure !== undefined, text);
      assert.match(logged.at(-1) ?? '', /^error: .* is empty, which would remove protection/);
      current();
    }
    assert.equal(logged.length, 4, 'each is said once');
  });

  it('that removes users or TLS on purpose is used, with a warning', () => {
    const { current, logged } = watch(0);
    folder.write('web.yml', locked.split('\n')[0]!);
    assert.deepEqual([current().config.users.size, current().secure !== undefined], [0, true]);
    folder.write('web.yml', 'rate_limit: {interval: 1s, burst: 9}');
    assert.equal(current().secure, undefined);
    const warnings = logged.filter((line) => line.startsWith('warn'));
    assert.deepEqual(warnings, [
      'warn: web configuration: no password is required any more',
      'warn: web configuration: TLS is now off',
    ]);
  });
});

describe('alternative names of a certificate', () => {
  it('are separated correctly even if one contains a separator', () => {
    assert.deepEqual(subjectAltNames('DNS:a.example, IP Address:0:0:0:0:0:0:0:1, URI:"x:y, DNS:evil", email:a@b'), [
      'a.example',
      '::1',
      'x:y, DNS:evil',
      'a@b',
    ]);
  });
});

describe('the sample web configurations', () => {
  const samples = readdirSync(examples).filter((name) => /^web-config.*\.yml$/.test(name));
  it('exist', () => assert.ok(samples.length >= 2));
  for (const sample of samples) {
    it(`${sample} is accepted by the exporter and by promtool`, needsProgram('promtool'), () => {
      const folder = temporaryFolder();
      try {
        for (const name of ['server', 'client-ca']) makeCertificate(folder, name);
        copyFileSync(examples + sample, folder.path(sample));
        assert.ok(watchConfig(folder.path(sample), () => undefined)().secure, 'TLS is on');
        const { status, stdout, stderr } = spawnSync('promtool', ['check', 'web-config', folder.path(sample)], {
          encoding: 'utf8',
        });
        assert.equal(status, 0, stdout + stderr);
      } finally {
        folder.remove();
      }
    });
  }
});
