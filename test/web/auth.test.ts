/** Basic auth: who gets access, its timing, cache and queue. */
import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { createAuthenticator, createComparer, peerOf } from '../../src/web/auth.js';
import {
  ask,
  basic,
  type Folder,
  makeCertificate,
  type Running,
  startServer,
  temporaryFolder,
} from '../support/web.js';

const users = new Map([
  ['alice', hashSync('wonderland', 8)],
  ['zoë', hashSync('pässwörd:with:colons', 4)],
  ['', hashSync('nobody', 4)],
]);
const header = (user: string, password: string) => basic(user, password)['Authorization'];

describe('basic auth', () => {
  const { check } = createAuthenticator();
  const decide = (text: string | undefined) => check(text, users, '127.0.0.1');

  it('grants access with the right password, in any spelling of the scheme', async () => {
    assert.equal(await decide(header('alice', 'wonderland')), 'granted');
    assert.equal(await decide(header('zoë', 'pässwörd:with:colons')), 'granted');
    assert.equal(await decide(header('', 'nobody')), 'granted');
    assert.equal(await decide(header('alice', 'wonderland')?.replace('Basic', 'bAsIc')), 'granted');
  });

  it('accepts hashes of htpasswd ($2y$) and others ($2a$)', async () => {
    for (const kind of ['$2y$', '$2a$']) {
      const other = new Map([['alice', users.get('alice')!.replace('$2b$', kind)]]);
      assert.equal(await check(header('alice', 'wonderland'), other, ''), 'granted', kind);
    }
  });

  it('denies everything else', async () => {
    const long = 'x'.repeat(10_000);
    for (const text of [
      undefined,
      '',
      'Basic',
      'Basic !!!',
      'Bearer d29uZGVybGFuZA==',
      `Basic ${Buffer.from('alice').toString('base64')}`,
      header('alice', ''),
      header('alice', 'Wonderland'),
      header('alice', 'wonderland\0'),
      header('Alice', 'wonderland'),
      header('bob', 'wonderland'),
      header('__proto__', 'wonderland'),
      header('alice', long),
      header('', ''),
    ])
      assert.equal(await decide(text), 'denied', text?.slice(0, 40));
  });

  it('requires no password without users', async () => {
    assert.equal(await check(undefined, new Map(), ''), 'granted');
  });

  it('forgets cached credentials if the hash changes or the user is removed', async () => {
    const own = createAuthenticator().check;
    const text = header('alice', 'wonderland');
    assert.equal(await own(text, users, ''), 'granted');
    assert.equal(await own(text, new Map([['alice', hashSync('other', 4)]]), ''), 'denied');
    assert.equal(await own(text, new Map([['bob', users.get('alice')!]]), ''), 'denied');
  });

  it('compares valid credentials once, also if they come concurrently, and wrong ones every time', async () => {
    let compared = 0;
    const compare = createComparer();
    const own = createAuthenticator((comparison) => {
      compared++;
      return compare(comparison, false);
    }).check;
    const right = header('alice', 'wonderland');
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => own(right, users, ''))), ['granted', 'granted', 'granted']);
    assert.equal(await own(right, users, ''), 'granted');
    assert.equal(compared, 1);
    for (let i = 0; i < 2; i++) assert.equal(await own(header('alice', 'wrong'), users, ''), 'denied');
    assert.equal(compared, 3);
  });

  it('gives one peer only a small part of the queue', async () => {
    const open: (() => void)[] = [];
    const own = createAuthenticator(() => new Promise((resolve) => open.push(() => resolve(false)))).check;
    const flood = Array.from({ length: 50 }, (_, i) => own(header('eve', `${i}`), users, '10.0.0.1'));
    const other = own(header('alice', 'wonderland'), users, '10.0.0.2');
    await Promise.resolve();
    assert.ok(open.length < 10, `${open.length} comparisons wait`);
    for (const finish of open) finish();
    const decisions = await Promise.all(flood);
    assert.ok(decisions.includes('busy'));
    assert.equal(await other, 'denied', 'the other peer had a place');
    const again = own(header('eve', '1'), users, '10.0.0.1');
    await Promise.resolve();
    open.at(-1)?.();
    assert.equal(await again, 'denied', 'places are given back');
  });

  it('counts an IPv6 network of 64 bits as one peer, and an IPv4 address in either spelling', () => {
    const alike = ['2001:db8:0:7::1', '2001:DB8::7:a:b:c:d', '2001:db8:0:7:ffff:ffff:ffff:ffff', '2001:0db8:0:7::'];
    assert.deepEqual(new Set(alike.map(peerOf)), new Set(['2001:db8:0:7::/64']));
    assert.notEqual(peerOf('2001:db8:0:8::1'), peerOf(alike[0]!));
    assert.equal(peerOf('fe80::1%eth0'), peerOf('fe80::2%eth1'));
    assert.equal(peerOf('::1'), '0:0:0:0::/64');
    assert.equal(peerOf('::ffff:10.0.0.1'), '10.0.0.1');
    assert.equal(peerOf('10.0.0.1'), '10.0.0.1');
  });

  it('reserves a part of the queue for known peers, and serves them first', async () => {
    let isFlooded = false;
    const urgencies: boolean[] = [];
    const own = createAuthenticator(async ({ password }, urgent) => {
      if (isFlooded) await new Promise(() => urgencies.push(urgent));
      return password === 'wonderland';
    }).check;
    assert.equal(await own(header('alice', 'wonderland'), users, '10.0.0.1'), 'granted');
    isFlooded = true;
    const decisions: string[] = [];
    for (let peer = 0; peer < 40; peer++)
      for (let i = 0; i < 4; i++)
        void own(header('eve', `${peer} ${i}`), users, `10.1.0.${peer}`).then((one) => decisions.push(one));
    const stranger = own(header('alice', 'new'), users, '10.0.0.2');
    assert.equal(await stranger, 'busy', 'the flood has taken what is there for everybody');
    void own(header('alice', 'new'), users, '10.0.0.1').then((one) => decisions.push(one));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(urgencies.at(-1), true, 'the one who is known has a place, before all others');
    assert.equal(urgencies.filter((one) => one).length, 1);
    assert.ok(decisions.every((one) => one === 'busy'));
  });

  it('compares urgent credentials first', async () => {
    const compare = createComparer();
    const order: string[] = [];
    const job = (name: string, urgent: boolean) =>
      compare({ password: name, hash: users.get('alice')!, cost: 8, ceiling: 8 }, urgent).then(() => order.push(name));
    await Promise.all([job('first', false), job('second', false), job('urgent', true), job('urgent too', true)]);
    assert.deepEqual(order, ['first', 'urgent', 'urgent too', 'second']);
  });

  it('does not block the event loop while it compares', async () => {
    const slow = new Map([['alice', hashSync('wonderland', 12)]]);
    let longest = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const start = performance.now();
    await createAuthenticator().check(header('alice', 'wrong'), slow, '');
    const took = performance.now() - start;
    clearInterval(watch);
    // One comparison of that cost takes several hundred milliseconds.
    assert.ok(took > 100 && longest < took / 2, `blocked for ${longest} of ${took} ms`);
  });

  it('does not reveal by its timing whether a user exists, whatever the cost of each hash', async () => {
    const mixed = new Map([
      ['cheap', hashSync('a', 5)],
      ['costly', hashSync('b', 10)],
    ]);
    const own = createAuthenticator().check;
    const names = ['cheap', 'costly', 'nobody'];
    const times = new Map(names.map((name) => [name, [] as number[]]));
    // Interleaved, so that other load on the machine affects all of them.
    for (let round = 0; round < 12; round++)
      for (const name of names) {
        const start = performance.now();
        assert.equal(await own(header(name, `wrong ${round}`), mixed, ''), 'denied');
        times.get(name)!.push(performance.now() - start);
      }
    // The fastest third shows the cost of the work; the others were slowed down by other load.
    const typical = names.map((name) => times.get(name)!.sort((a, b) => a - b)[3]!);
    const ratio = Math.max(...typical) / Math.min(...typical);
    assert.ok(ratio < 1.4, `${names.map((name, i) => `${name} ${typical[i]!.toFixed(1)} ms`)}`);
  });
});

describe('a server with users', () => {
  let folder: Folder;
  let server: Running;
  const authority = () => ({ ca: folder.read('server.crt'), servername: 'localhost' });
  before(async () => {
    folder = temporaryFolder();
    makeCertificate(folder, 'server', { extensions: ['subjectAltName=DNS:localhost,IP:127.0.0.1'] });
    const hash = hashSync('wonderland', 10);
    const configFile = folder.write(
      'web.yml',
      `tls_server_config: {cert_file: server.crt, key_file: server.key}\nbasic_auth_users: {alice: ${hash}}\n`,
    );
    let served = 0;
    server = await startServer({ configFile, app: (_request, response) => response.end(`served ${++served}`) });
  });
  after(async () => {
    await server.close();
    folder.remove();
  });

  it('denies every route and method without credentials', async () => {
    for (const route of [
      '/',
      '/metrics',
      '/api/v1/status',
      '/-/healthy',
      '/-/ready',
      '/-/reload',
      '/nothing',
      '/%2e%2e/x',
      '//',
    ])
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
        const { status, headers, body } = await ask(server.url + route, { method, tls: authority() });
        assert.equal(status, 401, `${method} ${route}`);
        assert.match(headers['www-authenticate'] ?? '', /^Basic realm="[^"]+"/);
        assert.ok(!body.includes('served'));
      }
  });

  it('grants access with credentials, and much faster the second time', async () => {
    const timed = async () => {
      const start = performance.now();
      const { status } = await ask(server.url, { headers: basic('alice', 'wonderland'), tls: authority() });
      assert.equal(status, 200);
      return performance.now() - start;
    };
    const first = await timed();
    const later = [await timed(), await timed(), await timed()];
    assert.ok(Math.min(...later) < first / 3, `first ${first} ms, later ${later} ms`);
  });

  it('answers 401 to a wrong password every time', async () => {
    for (let i = 0; i < 3; i++)
      assert.equal((await ask(server.url, { headers: basic('alice', 'x'), tls: authority() })).status, 401);
  });

  it('logs no access', () => assert.deepEqual(server.logged, []));
});
