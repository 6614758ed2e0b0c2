/** Requests from other web sites, listen addresses, the rate limit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { activatedSockets, listenLabel, parseListenAddress } from '../../src/web/listen-address.js';
import { crossSiteRefusal, type OriginHeaders, type Protection } from '../../src/web/origin.js';
import { createBucket } from '../../src/web/rate.js';

const open: Protection = { localOnly: false, guarded: false, hostname: 'loghost' };
const local: Protection = { ...open, localOnly: true };
const guarded: Protection = { ...open, guarded: true };
const status = (asked: Partial<OriginHeaders>, place: Protection) =>
  crossSiteRefusal({ method: 'GET', host: '127.0.0.1:9117', origin: undefined, fetchSite: undefined, ...asked }, place)
    ?.status;

describe('a read request', () => {
  it('is allowed under any name if the listener serves the network', () => {
    assert.equal(
      status({ host: 'exporter.example.com:9117', origin: 'http://evil.example', fetchSite: 'cross-site' }, open),
      undefined,
    );
  });

  it('on a loopback listener is allowed only under names that DNS cannot redirect', () => {
    for (const host of [
      '127.0.0.1:9117',
      '[::1]:9117',
      '[::1]',
      'localhost',
      'LOCALHOST:9117',
      'a.localhost',
      'loghost:9117',
      undefined,
    ])
      assert.equal(status({ host }, local), undefined, host);
    for (const host of [
      'evil.example:9117',
      'localhost.evil.example',
      'evil.example',
      '',
      '127.0.0.1.evil.example',
      'loghost.evil.example',
    ])
      assert.equal(status({ host }, local), 421, host);
  });

  it('on a loopback listener with TLS or users is allowed under any name', () => {
    assert.equal(status({ host: 'metrics.example.com' }, { ...guarded, localOnly: true }), undefined);
  });
});

describe('a request that changes something', () => {
  const post = (asked: Partial<OriginHeaders>, place: Protection = open) => status({ method: 'POST', ...asked }, place);

  it('is allowed for programs, which send no origin', () => {
    assert.equal(post({ host: 'exporter.example.com:9117' }), undefined);
    assert.equal(status({ method: 'DELETE' }, local), undefined);
  });

  it('is refused from another site, another port and an opaque origin', () => {
    for (const origin of [
      'http://evil.example',
      'http://127.0.0.1:80',
      'null',
      '',
      'file://',
      'http://127.0.0.1:9117.evil.example',
    ])
      for (const place of [open, guarded]) assert.equal(post({ origin }, place), 403, origin);
    for (const fetchSite of ['cross-site', 'same-site', 'anything']) assert.equal(post({ fetchSite }, guarded), 403);
    assert.equal(status({ method: 'DELETE', origin: 'http://evil.example' }, open), 403);
  });

  it('is allowed from our own page', () => {
    assert.equal(post({ origin: 'http://127.0.0.1:9117', fetchSite: 'same-origin' }), undefined);
    assert.equal(post({ host: 'localhost', origin: 'http://localhost:80' }), undefined);
    assert.equal(post({ host: 'x.example', origin: 'https://x.example' }, guarded), undefined);
  });

  it('is refused from a site whose name points to this server, unless TLS or users are configured', () => {
    const rebound = { host: 'evil.example:9117', origin: 'http://evil.example:9117', fetchSite: 'same-origin' };
    assert.equal(post(rebound), 403);
    assert.equal(post(rebound, guarded), undefined);
  });
});

describe('listen addresses', () => {
  it('are ports with and without a host, of both families, and paths', () => {
    for (const text of [
      ':9117',
      '127.0.0.1:9117',
      '[::1]:0',
      '[fe80::1%eth0]:9117',
      'localhost:65535',
      'my_host.example:1',
    ]) {
      const target = parseListenAddress(text);
      assert.equal(target && listenLabel(target), text);
    }
    assert.deepEqual(parseListenAddress(':9117'), { kind: 'tcp', port: 9117 });
    assert.deepEqual(parseListenAddress('[::1]:1'), { kind: 'tcp', host: '::1', port: 1 });
    assert.deepEqual(parseListenAddress('unix:/run/x y.sock'), { kind: 'unix', path: '/run/x y.sock' });
  });

  it('are refused in any other form', () => {
    for (const text of [
      '',
      '9117',
      ':',
      ':http',
      ':65536',
      ':-1',
      ':+1',
      ':1e3',
      '::1:9117',
      '[127.0.0.1]:1',
      '[::1]',
      '1.2.3:80',
      '999.1.1.1:80',
      'http://x:1',
      'a b:1',
      'unix:',
      'unix:x',
      `unix:/${'x'.repeat(107)}`,
      'vsock://:1',
      '*:9117',
      ' :9117',
      ':9117 ',
    ])
      assert.equal(parseListenAddress(text), undefined, text);
  });

  it('come from systemd only if they are for this process', () => {
    const environment = { LISTEN_FDS: '2', LISTEN_PID: '42', LISTEN_FDNAMES: 'web:' };
    assert.deepEqual(activatedSockets(environment, 42), [
      { kind: 'descriptor', descriptor: 3, name: 'web' },
      { kind: 'descriptor', descriptor: 4 },
    ]);
    assert.deepEqual(activatedSockets(environment, 43), []);
    for (const LISTEN_FDS of ['0', '-1', 'x', '1.5', '', '9999999', undefined])
      assert.deepEqual(activatedSockets({ ...environment, LISTEN_FDS }, 42), []);
    assert.deepEqual(activatedSockets({}, 42), []);
  });
});

describe('the rate limit', () => {
  it('allows a burst, then one request per interval', () => {
    let time = 100;
    const take = createBucket(() => time);
    const limit = { interval: 2, burst: 3 };
    assert.deepEqual(
      [1, 2, 3, 4].map(() => take(limit)),
      [true, true, true, false],
    );
    time += 1.9;
    assert.equal(take(limit), false);
    time += 0.2;
    assert.deepEqual([take(limit), take(limit)], [true, false]);
    time += 1000;
    assert.deepEqual(
      [1, 2, 3, 4].map(() => take(limit)),
      [true, true, true, false],
    );
  });
});
