/** Behind Debian's nginx, with TLS and below a path: every link works, and only the external name is accepted. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseExternalUrl, parseRoutePrefix } from '../../src/web/external-url.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort, until } from '../support/live.js';
import { needsProgram } from '../support/needs.js';
import { type Answer, ask, makeCertificate, temporaryFolder } from '../support/web.js';
import { createWorld } from '../support/world.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const outside = 'logs.example';

describe('--web.external-url and --web.route-prefix', () => {
  it('are a URL or a path, and a path', () => {
    assert.deepEqual(parseExternalUrl('https://Logs.example:8443/ops/filebeat/'), {
      host: outside,
      path: '/ops/filebeat',
    });
    assert.deepEqual(parseExternalUrl('http://logs.example'), { host: outside, path: '' });
    assert.deepEqual(parseExternalUrl('/filebeat/'), { path: '/filebeat' });
    assert.deepEqual(['/', '/a', 'a/', '/a/b/'].map(parseRoutePrefix), ['', '/a', '/a', '/a/b']);
  });

  it('are refused if they are ambiguous', () => {
    for (const text of [
      '',
      'logs.example/filebeat',
      'ftp://logs.example/',
      'https://user@logs.example/',
      'https:///filebeat',
      'https://logs.example/?q=1',
      'https://logs.example/a#b',
      'https://logs.example/a b',
      'https://logs.example/a/../b',
      'https://logs.example/:name',
      '//logs.example/a',
      '"https://logs.example"',
    ])
      assert.equal(parseExternalUrl(text), undefined, text);
    for (const text of ['', '/a//b', '/..', '/a/./b', '/{a}', '/a*', '/%61'])
      assert.equal(parseRoutePrefix(text), undefined, text);
  });
});

interface Proxy {
  /** GET with the external name. */
  get(path: string): Promise<Answer>;
  stop(): Promise<void>;
}

/** nginx with a certificate for the external name; `locations`: body of its server block. */
async function startProxy(locations: string): Promise<Proxy> {
  const folder = temporaryFolder();
  makeCertificate(folder, outside, { extensions: [`subjectAltName=DNS:${outside}`] });
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder.path(kind)};`)
    .join('\n');
  const config = folder.write(
    'nginx.conf',
    `daemon off;
pid ${folder.path('nginx.pid')};
error_log stderr;
events {}
http {
access_log off;
${temporary}
server {
listen 127.0.0.1:${port} ssl;
server_name ${outside};
ssl_certificate ${folder.path(`${outside}.crt`)};
ssl_certificate_key ${folder.path(`${outside}.key`)};
${locations}
}
}
`,
  );
  const nginx: ChildProcess = spawn('nginx', ['-p', folder.path(''), '-c', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  nginx.stderr!.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ended = new Promise<void>((resolve) => nginx.once('close', () => resolve()));
  const get = (path: string) =>
    ask(`https://127.0.0.1:${port}${path}`, {
      headers: { Host: `${outside}:${port}`, Accept: 'text/html' },
      tls: { servername: outside, ca: folder.read(`${outside}.crt`) },
    });
  await until('nginx answers', () => {
    if (nginx.exitCode !== null) throw new Error(`nginx ended: ${complaints}`);
    return get('/').catch(() => false as const);
  });
  return {
    get,
    async stop() {
      nginx.kill('SIGTERM');
      await ended;
      folder.remove();
    },
  };
}

/** Follows every link within the site from a page; returns the requested paths. Filebeats of other tests come and go. */
async function crawl(proxy: Proxy, start: string, names: readonly string[]): Promise<string[]> {
  const asked = new Set<string>([start]);
  for (const path of asked) {
    const { status, headers, body } = await proxy.get(path);
    assert.equal(status, 200, `${path} answers ${status}`);
    if (!headers['content-type']?.startsWith('text/html')) continue;
    for (const [, link] of body.matchAll(/ (?:href|action)="([^"#]+)/g)) {
      if (link!.startsWith('data:')) continue;
      const { pathname, search, host } = new URL(link!.replaceAll('&amp;', '&'), `https://${outside}${path}`);
      assert.equal(host, outside);
      const [, name] = /\/instances\/(.*)$/.exec(pathname) ?? [];
      if (name !== undefined && !names.includes(decodeURIComponent(name))) continue;
      // Ignores the many sort orders and filters of the same page.
      if (search === '') asked.add(pathname);
    }
  }
  return [...asked].sort();
}

describe('behind a reverse proxy', needsProgram('nginx'), () => {
  const world = createWorld('proxy-');
  const started: { stop(): Promise<void> }[] = [];
  const name = `proxied-${process.pid}`;
  before(async () => void (await world.filebeat(name, [`127.0.0.1:${await freePort()}`])));
  after(async () => {
    for (const one of started.reverse()) await one.stop();
    await world.end();
  });
  const exporter = async (...flags: string[]): Promise<Exporter> => {
    const one = await startExporter(flags);
    started.push(one);
    return one;
  };
  const proxy = async (locations: string): Promise<Proxy> => {
    const one = await startProxy(locations);
    started.push(one);
    return one;
  };
  const withHost = 'proxy_set_header Host $http_host;';
  const pages = (prefix: string) =>
    ['/', '/api/v1/status', `/instances/${name}`, '/metrics'].map((path) => prefix + path);
  const missing = (paths: string[], of: string[]) => of.filter((path) => !paths.includes(path));

  it('that removes its path, every link works without a flag', async () => {
    const { url } = await exporter();
    const { get, stop } = await proxy(`location /ops/filebeat/ { proxy_pass ${url}/; }`);
    assert.deepEqual(missing(await crawl({ get, stop }, '/ops/filebeat/', [name]), pages('/ops/filebeat')), []);
  });

  it('that passes its path on, every link works with --web.external-url', async () => {
    // A slash in a name survives if the proxy passes the path on unchanged.
    const settings = world.write(
      'exporter.yml',
      `instances: [{name: a/b, argv: [filebeat, -c, ${world.folder}/a.yml]}]\n`,
    );
    const one = await exporter(`--web.external-url=https://${outside}/filebeat/`, `--config.file=${settings}`);
    const [, documented] = /```nginx\n(.*?)```/s.exec(readFileSync(join(top, 'docs/packages.md'), 'utf8'))!;
    const outer = await proxy(documented!.replace('http://127.0.0.1:9117', one.url));
    const seen = await crawl(outer, '/filebeat/', [name, 'a/b']);
    assert.deepEqual(missing(seen, [...pages('/filebeat'), '/filebeat/instances/a%2Fb']), []);
    assert.equal((await outer.get('/filebeat/-/healthy')).status, 200);
    const bare = await outer.get('/filebeat');
    assert.equal(new URL(bare.headers.location!, `https://${outside}/filebeat`).pathname, '/filebeat/');
    // Without the proxy, the routes are below the same path, and `/` redirects to the page.
    assert.equal((await one.get('/metrics')).status, 404);
    assert.equal((await one.get('/filebeat/metrics')).status, 200);
    assert.equal(new URL((await one.get('/')).url).pathname, '/filebeat/');
  });

  it('that removes its path and keeps the name works with --web.route-prefix=/', async () => {
    const { url } = await exporter(`--web.external-url=https://${outside}/ops/`, '--web.route-prefix=/');
    const outer = await proxy(`location /ops/ { proxy_pass ${url}/; ${withHost} }`);
    assert.deepEqual(missing(await crawl(outer, '/ops/', [name]), pages('/ops')), []);
  });

  it('without --web.external-url the external name is refused on a loopback listener, and the response names the flag', async () => {
    const { url } = await exporter();
    const outer = await proxy(`location / { proxy_pass ${url}; ${withHost} }`);
    const refused = await outer.get('/metrics');
    assert.equal(refused.status, 421);
    assert.match(refused.body, /--web\.external-url/);
    const told = await exporter(`--web.external-url=https://${outside}/`);
    const other = await ask(`${told.url}/metrics`, { headers: { Host: 'evil.example' } });
    assert.equal(other.status, 421);
    assert.equal(
      (await ask(`${told.url}/metrics`, { headers: { Host: `${outside.toUpperCase()}.:8443` } })).status,
      200,
    );
  });
});
