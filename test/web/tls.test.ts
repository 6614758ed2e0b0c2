/** TLS on real sockets: client certificates, versions and suites, and changes without a restart. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { Agent } from 'node:https';
import { after, afterEach, before, describe, it } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { cipherSuites } from '../../src/web/config/tls-names.js';
import {
  ask,
  basic,
  type Folder,
  makeCertificate,
  openssl,
  type Running,
  startServer,
  temporaryFolder,
} from '../support/web.js';

let folder: Folder;
let server: Running | undefined;
const serverNames = ['subjectAltName=DNS:localhost,IP:127.0.0.1'];

before(() => {
  folder = temporaryFolder();
  makeCertificate(folder, 'server', { extensions: serverNames });
  makeCertificate(folder, 'ca');
  makeCertificate(folder, 'good', {
    issuer: 'ca',
    extensions: [
      'basicConstraints=critical,CA:FALSE',
      'subjectAltName=DNS:prom.example,IP:::1,URI:spiffe://x/y,email:a@b.example',
    ],
  });
  makeCertificate(folder, 'nameless', { issuer: 'ca', extensions: ['basicConstraints=critical,CA:FALSE'] });
  makeCertificate(folder, 'wildcard', {
    issuer: 'ca',
    extensions: ['basicConstraints=critical,CA:FALSE', 'subjectAltName=DNS:*.example'],
  });
  makeCertificate(folder, 'serveronly', {
    issuer: 'ca',
    extensions: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth'],
  });
  makeCertificate(folder, 'stranger');
});
after(() => folder.remove());
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const trust = (name = 'server'): ConnectionOptions => ({ ca: folder.read(`${name}.crt`), servername: 'localhost' });
const client = (name: string | undefined): ConnectionOptions =>
  name ? { ...trust(), cert: folder.read(`${name}.crt`), key: folder.read(`${name}.key`) } : trust();
const configText = (more = '') => `tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n${more}`;
const start = async (text: string) => {
  server = await startServer({ configFile: folder.write('web.yml', text) });
  return server;
};
/** Only a handshake. */
const handshake = (port: number, options: ConnectionOptions): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ...trust(), ...options }, () => resolve(socket));
    socket.once('error', reject);
  });

describe('a client that offers HTTP/2', () => {
  it('is served HTTP/1.1, even if the file enables HTTP/2', async () => {
    const { url } = await start(configText('http_server_config: {http2: true}\n'));
    const socket = await handshake(Number(new URL(url).port), { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });
});

describe('client certificates', () => {
  const clients = [undefined, 'good', 'nameless', 'serveronly', 'stranger'] as const;
  const admitted: [string, boolean[]][] = [
    // none, valid, without a name, for servers only, of another CA
    ['NoClientCert', [true, true, true, true, true]],
    ['RequestClientCert', [true, true, true, true, true]],
    ['RequireAnyClientCert', [false, true, true, true, true]],
    ['RequireClientCert', [false, true, true, true, true]],
    ['VerifyClientCertIfGiven', [true, true, true, false, false]],
    ['RequireAndVerifyClientCert', [false, true, true, false, false]],
  ];
  for (const [type, expected] of admitted)
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`are accepted according to ${type}, over ${version}`, async () => {
        const authority = type === 'NoClientCert' ? '' : '  client_ca_file: ca.crt\n';
        const { url } = await start(configText(`  client_auth_type: ${type}\n${authority}`));
        const seen: boolean[] = [];
        for (const name of clients) {
          const tls = { ...client(name), minVersion: version, maxVersion: version };
          seen.push(
            await ask(url, { tls }).then(
              ({ status }) => status === 200,
              () => false,
            ),
          );
        }
        assert.deepEqual(seen, expected);
      });
    }

  it('must contain exactly an allowed name', async () => {
    const names: [string, boolean[]][] = [
      // without a name, with names, with a wildcard
      ['prom.example', [false, true, false]],
      ['"::1"', [false, true, false]],
      ['"0:0::1"', [false, true, false]],
      ['spiffe://x/y', [false, true, false]],
      ['a@b.example', [false, true, false]],
      ['PROM.example', [false, false, false]],
      ['nameless', [false, false, false]],
      ['"*.example"', [false, false, true]],
    ];
    for (const [name, expected] of names) {
      const { url, close } = await start(
        configText(
          `  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n  client_allowed_sans: [other, ${name}]\n`,
        ),
      );
      const seen: boolean[] = [];
      for (const who of ['nameless', 'good', 'wildcard'])
        seen.push(
          await ask(url, { tls: client(who) }).then(
            () => true,
            () => false,
          ),
        );
      assert.deepEqual(seen, expected, name);
      await close();
    }
  });

  it('are checked again if a session is resumed', async () => {
    const { port } = await start(
      configText('  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n'),
    );
    const get = (options: ConnectionOptions) =>
      new Promise<{ session: Buffer | undefined; reused: boolean; text: string }>((resolve) => {
        let session: Buffer | undefined;
        let text = '';
        const socket = connect({ port, host: '127.0.0.1', ...options, maxVersion: 'TLSv1.3' });
        socket.on('session', (fresh) => {
          session = fresh;
        });
        socket.on('secureConnect', () =>
          socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
        );
        socket.on('data', (chunk) => {
          text += chunk.toString();
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve({ session, reused: socket.isSessionReused(), text }));
      });
    const first = await get(client('good'));
    assert.ok(first.session && first.text.includes('200 OK'));
    const second = await get({ ...client('good'), session: first.session });
    assert.ok(second.text.includes('200 OK'));
    const refused = await get(client('stranger'));
    const third = await get({ ...client('stranger'), ...(refused.session && { session: refused.session }) });
    assert.equal(refused.text + third.text, '');
  });
});

describe('TLS settings', () => {
  it('limit the versions', async () => {
    const { port } = await start(configText('  max_version: TLS12\n'));
    assert.equal((await handshake(port, {})).getProtocol(), 'TLSv1.2');
    await assert.rejects(handshake(port, { minVersion: 'TLSv1.3' }));
    await server?.close();
    const only13 = await start(configText('  min_version: TLS13\n'));
    assert.equal((await handshake(only13.port, {})).getProtocol(), 'TLSv1.3');
    await assert.rejects(handshake(only13.port, { maxVersion: 'TLSv1.2' }));
  });

  it('serve each suite of Go, with a certificate of its kind', async () => {
    openssl(
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=rsa', '-addext', serverNames[0]!],
      ['-keyout', folder.path('rsa.key'), '-out', folder.path('rsa.crt')],
    );
    for (const [name, openName] of cipherSuites) {
      const kind = name.includes('_RSA_') ? 'rsa' : 'server';
      const { port, close } = await start(
        `tls_server_config: {cert_file: ${kind}.crt, key_file: ${kind}.key, cipher_suites: [${name}]}`,
      );
      const limits = name.startsWith('TLS_ECDHE') ? { maxVersion: 'TLSv1.2' as const } : { ciphers: openName };
      const socket = await handshake(port, { ...trust(kind), ...limits });
      assert.equal(socket.getCipher().standardName, name);
      socket.destroy();
      await close();
    }
  });

  it('serve only the listed suites, which do not apply to TLS 1.3', async () => {
    const { port } = await start(configText('  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n'));
    await assert.rejects(handshake(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }));
    assert.equal((await handshake(port, {})).getProtocol(), 'TLSv1.3');
  });

  it('select the curve', async () => {
    const { port } = await start(configText('  curve_preferences: [CurveP384]\n'));
    const info = (await handshake(port, {})).getEphemeralKeyInfo() as { name?: string };
    assert.match(info.name ?? '', /384/);
    await assert.rejects(handshake(port, { ecdhCurve: 'X25519' }));
  });

  it('do not allow plain HTTP', async () => {
    const { url } = await start(configText());
    await assert.rejects(ask(url.replace('https:', 'http:')));
  });

  it('add the configured headers, which win over the application’s', async () => {
    const configFile = folder.write(
      'web.yml',
      'http_server_config: {headers: {X-Frame-Options: sameorigin, Content-Security-Policy: "default-src x"}}',
    );
    server = await startServer({
      configFile,
      app: (_request, response) =>
        response.setHeader('Content-Security-Policy', "default-src 'none'").setHeader('X-Own', '1').end(),
    });
    const { headers } = await ask(server.url);
    assert.deepEqual(
      [headers['x-frame-options'], headers['content-security-policy'], headers['x-own']],
      ['sameorigin', 'default-src x', '1'],
    );
  });
});

describe('without a restart', () => {
  const serial = async (port: number, name: string) => {
    const socket = await handshake(port, trust(name));
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  };
  const replace = (name: string, by: string) => {
    for (const end of ['key', 'crt']) {
      folder.write('next', folder.read(`${by}.${end}`));
      renameSync(folder.path('next'), folder.path(`${name}.${end}`));
    }
  };

  it('a new certificate is used from the next handshake on, an invalid one is not', async () => {
    for (const name of ['one', 'two']) makeCertificate(folder, name, { extensions: serverNames });
    makeCertificate(folder, 'mine', { extensions: serverNames });
    replace('mine', 'one');
    const { port, url, logged } = await start('tls_server_config: {cert_file: mine.crt, key_file: mine.key}');
    const agent = new Agent({ keepAlive: true });
    assert.equal((await ask(url, { agent, tls: trust('one') })).status, 200);
    assert.equal(await serial(port, 'one'), 'one');
    replace('mine', 'two');
    assert.equal(await serial(port, 'two'), 'two');
    assert.deepEqual(logged, ['info: web configuration reloaded']);
    folder.write('mine.crt', 'not a certificate');
    for (let i = 0; i < 3; i++) assert.equal(await serial(port, 'two'), 'two');
    assert.equal(logged.length, 2, 'said once');
    assert.match(
      logged[1] ?? '',
      /^error: web configuration not reloaded, the previous one stays in use: .*web\.yml:1: tls_server_config\.cert_file: expected/,
    );
    replace('mine', 'one');
    assert.equal(await serial(port, 'one'), 'one');
    agent.destroy();
  });

  it('users are added and removed from the next request on, also on an open connection', async () => {
    const user = (name: string, password: string) => `basic_auth_users: {${name}: ${hashSync(password, 4)}}`;
    const { url, logged } = await start(user('alice', 'a'));
    const agent = new (await import('node:http')).Agent({ keepAlive: true, maxSockets: 1 });
    const status = async (name: string, password: string) =>
      (await ask(url, { agent, headers: basic(name, password) })).status;
    assert.deepEqual([await status('alice', 'a'), await status('bob', 'b')], [200, 401]);
    folder.write('web.yml', user('bob', 'b'));
    assert.deepEqual([await status('alice', 'a'), await status('bob', 'b')], [401, 200]);
    folder.write('web.yml', 'basic_auth_users: {bob: plain}');
    assert.equal(await status('bob', 'b'), 200, 'the old users stay');
    assert.match(logged.at(-1) ?? '', /error: .*web\.yml:1: basic_auth_users: expected a bcrypt hash/);
    for (const empty of ['', '# users: later\n', 'basic_auth_users:\n']) {
      folder.write('web.yml', empty);
      assert.equal((await ask(url, { agent })).status, 401, 'an empty file opens no server');
      assert.match(
        logged.at(-1) ?? '',
        /^error: web configuration not reloaded, the previous one stays in use: .*is empty/,
      );
    }
    folder.write('web.yml', 'rate_limit: {interval: 1ms, burst: 1000}');
    assert.equal((await ask(url, { agent })).status, 200);
    assert.match(logged.at(-1) ?? '', /^warn: web configuration: no password is required/);
    agent.destroy();
  });

  it('client authentication and TLS can be enabled; earlier idle connections are closed', async () => {
    const { url, port } = await start('');
    const agent = new (await import('node:http')).Agent({ keepAlive: true });
    assert.equal((await ask(url, { agent })).status, 200);
    folder.write('web.yml', configText('  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n'));
    const secureUrl = url.replace('http:', 'https:');
    await assert.rejects(ask(secureUrl, { tls: client('stranger') }));
    assert.equal((await ask(secureUrl, { tls: client('good') })).status, 200);
    await assert.rejects(ask(url, { agent }), 'the plain connection is gone');
    folder.write('web.yml', configText());
    assert.equal(await serial(port, 'server'), 'server');
    agent.destroy();
  });
});
