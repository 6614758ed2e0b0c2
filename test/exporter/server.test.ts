import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { preferredFormat } from '../../src/exporter/metrics/accept.js';
import { renderMetrics } from '../../src/exporter/metrics/metrics.js';
import { type AppOptions, createApp, deadlineOf } from '../../src/exporter/server.js';
import type { Report } from '../../src/model/model.js';
import { hostileNames, many, report, running, troubled } from '../support/report.js';
import { type Running, startServer } from '../support/web.js';

const open: Running[] = [];
after(() => Promise.all(open.map((o) => o.close(0))));

async function serve(over: Partial<AppOptions> = {}): Promise<string> {
  const app = createApp({
    getReport: async () => troubled(),
    isReady: () => true,
    routePrefix: '',
    telemetryPath: '/metrics',
    metrics: () => ({ version: '0.1.0', nodeVersion: 'v20.0.0', legacyPortMetric: false }),
    maxRequests: 0,
    ...over,
  });
  const listening = await startServer({ app });
  open.push(listening);
  return listening.url;
}

/** Sends a request unchanged: fetch would normalise paths and refuse some methods. */
function raw(
  base: string,
  path: string,
  method = 'GET',
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const sent = request({ hostname, port, path, method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }));
    });
    sent.on('error', reject).end();
  });
}

test('GET /metrics is the text format', async () => {
  const res = await fetch(`${await serve()}/metrics`);
  assert.equal(res.status, 200);
  assert.equal(res.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(await res.text(), /^filebeat_instance_up\{name="core"/m);
});

test('GET /metrics is OpenMetrics if the client asks for it', async () => {
  const res = await fetch(`${await serve()}/metrics`, {
    headers: { Accept: 'application/openmetrics-text; version=1.0.0' },
  });
  assert.equal(res.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.match(await res.text(), /\n# EOF\n$/);
});

test('the preferred format follows the Accept header', () => {
  const prometheus2 =
    'application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1';
  const prometheus3 =
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2';
  for (const accept of [prometheus2, prometheus3, 'application/openmetrics-text'])
    assert.equal(preferredFormat(accept), 'openmetrics');
  const others = [
    undefined,
    '',
    '*/*',
    'text/html',
    'text/plain',
    'application/openmetrics-text;q=0',
    'application/openmetrics-text;version=0.0.1',
    'text/plain;q=1,application/openmetrics-text;q=0.2',
    ';;;,,q=x',
  ];
  for (const accept of others) assert.equal(preferredFormat(accept), 'text', accept);
});

test('--web.telemetry-path moves /metrics', async () => {
  const base = await serve({ telemetryPath: '/probe/metrics' });
  assert.equal((await fetch(`${base}/probe/metrics`)).status, 200);
  assert.equal((await fetch(`${base}/metrics`)).status, 404);
});

test('/metrics answers 500 only if the scan failed', async () => {
  const gone = report({ snapshot: { usable: false } });
  assert.equal((await fetch(`${await serve({ getReport: async () => gone })}/metrics`)).status, 500);
  assert.equal((await fetch(`${await serve({ getReport: async () => report() })}/metrics`)).status, 200);
  const broken = await fetch(`${await serve({ getReport: () => Promise.reject(new Error('secret path')) })}/metrics`);
  assert.equal(broken.status, 500);
  assert.doesNotMatch(await broken.text(), /secret|at .*\.js/);
});

test('a thousand scrapes in a row never fail and never duplicate a series', async () => {
  const base = await serve();
  for (let i = 0; i < 1000; i++) {
    const res = await fetch(`${base}/metrics`);
    const text = await res.text();
    assert.equal(res.status, 200);
    if (i % 100 !== 99) continue;
    const keys = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.slice(0, line.lastIndexOf(' ')));
    assert.equal(new Set(keys).size, keys.length);
  }
});

test('GET /api/v1/status is JSON', async () => {
  const res = await fetch(`${await serve()}/api/v1/status`);
  assert.equal(res.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(((await res.json()) as { instances: unknown[] }).instances.length, 3);
});

test('/-/healthy and /-/ready never scan', async () => {
  let scans = 0;
  let ready = false;
  const base = await serve({
    getReport: async () => {
      scans++;
      return report();
    },
    isReady: () => ready,
  });
  assert.equal((await fetch(`${base}/-/healthy`)).status, 200);
  assert.equal((await fetch(`${base}/-/ready`)).status, 503);
  ready = true;
  assert.equal((await fetch(`${base}/-/ready`)).status, 200);
  assert.equal(scans, 0);
});

test('HEAD answers as GET, without a body', async () => {
  const base = await serve();
  for (const path of ['/', '/metrics', '/api/v1/status', '/-/healthy', '/-/ready', '/instances/core']) {
    const got = await raw(base, path);
    const head = await raw(base, path, 'HEAD');
    assert.deepEqual(
      [head.status, head.headers['content-type'], head.headers['content-length'], head.body.length],
      [got.status, got.headers['content-type'], got.headers['content-length'], 0],
      path,
    );
  }
});

test('an unknown path is 404, another method is 405 with the allowed ones', async () => {
  const base = await serve();
  for (const path of [
    '/nothing',
    '/metrics/',
    '/METRICS',
    '/api/v1',
    '/instances',
    '/-/',
    '/../etc/passwd',
    '/instances/nobody',
    '//metrics',
  ]) {
    assert.equal((await raw(base, path)).status, 404, path);
  }
  for (const path of ['/', '/metrics', '/api/v1/status', '/-/healthy', '/-/ready', '/instances/core']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const res = await raw(base, path, method);
      assert.deepEqual([res.status, res.headers['allow']], [405, 'GET, HEAD'], `${method} ${path}`);
    }
  }
  assert.equal((await raw(base, '/-/reload')).status, 405);
  assert.equal((await raw(base, '/api/v1/instances/core')).status, 405);
});

test('a path that cannot be decoded is 400, without details', async () => {
  const res = await raw(await serve(), '/instances/%E0%A4%A');
  assert.equal(res.status, 400);
  assert.doesNotMatch(String(res.body), /at .*\.js/);
});

test('lifecycle routes are 403 unless enabled', async () => {
  const base = await serve();
  assert.equal((await raw(base, '/-/reload', 'POST')).status, 403);
  assert.equal((await raw(base, '/api/v1/instances/core', 'DELETE')).status, 403);
});

test('enabled lifecycle routes reload and forget, but refuse browsers', async () => {
  const forgotten: string[] = [];
  const base = await serve({
    lifecycle: {
      reload: async () => ({ ok: false, message: 'discovery.remember, line 3: expected a duration' }),
      forget: async (name) => {
        forgotten.push(name);
        return name === 'lab/ž' ? { ok: true } : { ok: false, message: 'There is no such instance.' };
      },
    },
  });
  const reload = await raw(base, '/-/reload', 'POST');
  assert.deepEqual([reload.status, String(reload.body)], [500, 'discovery.remember, line 3: expected a duration\n']);
  assert.equal((await raw(base, `/api/v1/instances/${encodeURIComponent('lab/ž')}`, 'DELETE')).status, 200);
  assert.equal((await raw(base, '/api/v1/instances/nobody', 'DELETE')).status, 404);
  assert.equal((await raw(base, '/api/v1/instances/lab', 'DELETE', { Origin: base })).status, 403);
  assert.equal((await raw(base, '/-/reload', 'POST', { Origin: 'http://evil.example' })).status, 403);
  assert.deepEqual(forgotten, ['lab/ž', 'nobody']);
});

test('every response has the security headers', async () => {
  const base = await serve();
  for (const path of ['/', '/metrics', '/api/v1/status', '/-/healthy', '/nothing', '/instances/core']) {
    const { headers } = await raw(base, path);
    assert.match(String(headers['content-security-policy']), /default-src 'none'/, path);
    assert.doesNotMatch(String(headers['content-security-policy']), /unsafe/, path);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-powered-by'], undefined);
  }
});

test('metrics of megabytes are whole for clients that ask at the same time, for other formats and other reports', async () => {
  const reports = [many(3, 1000), many(4, 900), many(2, 10)];
  let turn = 0;
  const base = await serve({ getReport: async () => reports[turn]! });
  const options = { version: '0.1.0', nodeVersion: 'v20.0.0', legacyPortMetric: false };
  for (turn of [0, 1, 2, 1, 0]) {
    const formats = ['text', 'openmetrics', 'text'] as const;
    const answers = await Promise.all(
      formats.map((format) =>
        raw(base, '/metrics', 'GET', {
          'Accept-Encoding': 'gzip',
          Accept: format === 'text' ? 'text/plain' : 'application/openmetrics-text; version=1.0.0',
        }),
      ),
    );
    for (const [at, format] of formats.entries())
      assert.ok(
        gunzipSync(answers[at]!.body).equals(renderMetrics(reports[turn]!, options, format)),
        `${turn} ${format}`,
      );
  }
});

test('responses are compressed only if the client accepts gzip', async () => {
  const base = await serve();
  const packed = await raw(base, '/metrics', 'GET', { 'Accept-Encoding': 'gzip' });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.match(String(gunzipSync(packed.body)), /filebeat_port_up/);
  assert.equal((await raw(base, '/metrics')).headers['content-encoding'], undefined);
  const open = await raw(base, '/metrics', 'GET', {
    'Accept-Encoding': 'gzip',
    Accept: 'application/openmetrics-text',
  });
  assert.equal(open.headers['content-encoding'], 'gzip');
});

test('too many concurrent requests get 503, but the health check is always served', async () => {
  let release: (r: Report) => void = () => {};
  let asked: () => void = () => {};
  const entered = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const base = await serve({
    maxRequests: 1,
    getReport: () => {
      asked();
      return new Promise<Report>((resolve) => {
        release = resolve;
      });
    },
  });
  const first = fetch(`${base}/metrics`);
  await entered;
  assert.equal((await fetch(`${base}/metrics`)).status, 503);
  assert.equal((await fetch(`${base}/-/healthy`)).status, 200);
  release(report());
  assert.equal((await first).status, 200);
});

test('a slot is released when the client disconnects', async () => {
  let asked: () => void = () => {};
  const base = await serve({
    maxRequests: 1,
    getReport: () => {
      asked();
      return new Promise<Report>(() => {});
    },
  });
  const { port } = new URL(base);
  for (let i = 0; i < 2; i++) {
    const entered = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const deadline = Date.now() + 5000;
    const attempt = () => {
      const client = connect(Number(port), '127.0.0.1', () =>
        client.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'),
      );
      client.on('data', () => {
        client.destroy();
        if (Date.now() < deadline) attempt();
      });
      client.on('error', () => {});
      return client;
    };
    const client = attempt();
    await entered;
    client.destroy();
  }
});

test('the report is requested within the scraper’s timeout, less a margin', async () => {
  assert.equal(deadlineOf('10'), 9500);
  assert.equal(deadlineOf('1'), 800);
  for (const odd of [undefined, '', 'x', '-3', '0', 'Infinity']) assert.equal(deadlineOf(odd), 10_000, String(odd));
  let within: number | undefined;
  const base = await serve({
    getReport: async (ms) => {
      within = ms;
      return report();
    },
  });
  await fetch(`${base}/metrics`, { headers: { 'X-Prometheus-Scrape-Timeout-Seconds': '3' } });
  assert.equal(within, 2500);
});

test('the status document of a report is rendered once for all requests', async () => {
  const r = troubled();
  const { verdict } = r;
  let reads = 0;
  Object.defineProperty(r, 'verdict', {
    get: () => {
      reads++;
      return verdict;
    },
  });
  const base = await serve({ getReport: async () => r });
  const first = await (await fetch(`${base}/api/v1/status`)).text();
  const once = reads;
  for (let i = 0; i < 3; i++) assert.equal(await (await fetch(`${base}/api/v1/status`)).text(), first);
  assert.ok(once > 0);
  assert.equal(reads, once);
});

test('no route sends control characters, and JSON has names unchanged', async () => {
  const names = Object.values(hostileNames);
  const instances = names.map((name, i) => ({ is: running(name, 100 + i) }));
  const base = await serve({ getReport: async () => report({ instances }) });
  const paths = ['/', '/metrics', '/api/v1/status', ...names.map((name) => `/?q=${encodeURIComponent(name)}`)];
  for (const path of [...paths, ...names.map((name) => `/instances/${encodeURIComponent(name)}`)])
    for (const accept of ['text/html', 'text/plain']) {
      const { body } = await raw(base, path, 'GET', { Accept: accept });
      assert.doesNotMatch(
        body.toString(),
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/,
        path,
      );
    }
  const status = (await (await fetch(`${base}/api/v1/status`)).json()) as { instances: { name: string }[] };
  assert.deepEqual(
    status.instances.map(({ name }) => name),
    names,
  );
});

test('pages serve hostile names, escaped', async () => {
  const instances = Object.values(hostileNames).map((name, i) => ({ is: running(name, 100 + i) }));
  const base = await serve({ getReport: async () => report({ instances }) });
  for (const path of ['/', ...Object.values(hostileNames).map((name) => `/instances/${encodeURIComponent(name)}`)]) {
    const res = await raw(base, path);
    assert.equal(res.status, 200, path.slice(0, 60));
    assert.doesNotMatch(String(res.body), /<script>alert/);
  }
});

test('direct answers and routes send the same metrics for every encoding', async () => {
  const base = await serve({ getReport: async () => shared });
  const get = (encoding: string | undefined, method = 'GET', accept = 'text/plain') =>
    raw(base, '/metrics', method, {
      Accept: accept,
      ...(encoding === undefined ? {} : { 'Accept-Encoding': encoding }),
    });
  const told = ({ headers }: { headers: IncomingMessage['headers'] }) =>
    Object.fromEntries(
      Object.entries(headers).filter(([name]) => !/^(date|content-length|transfer-encoding)$/.test(name)),
    );
  // The routes negotiate the second of each pair.
  for (const accept of ['text/plain', 'application/openmetrics-text'])
    for (const [direct, routed] of [
      ['gzip', 'gzip;q=0.9'],
      [undefined, 'identity;q=1'],
    ]) {
      const [one, other] = [await get(direct, 'GET', accept), await get(routed, 'GET', accept)];
      assert.deepEqual(told(one), told(other));
      assert.equal(one.status, other.status);
      const [body, same] = [one, other].map((res) => (direct === 'gzip' ? gunzipSync(res.body) : res.body));
      assert.deepEqual(body, same);
      const [head, routedHead] = [await get(direct, 'HEAD', accept), await get(routed, 'HEAD', accept)];
      assert.deepEqual(head.headers['content-length'], routedHead.headers['content-length']);
      assert.deepEqual(told(head), told(routedHead));
    }
});

const shared = troubled();
