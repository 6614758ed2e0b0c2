/** The whole program under load and with misbehaving clients: scans are shared, and other clients are served. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { type Exporter, mainFile, startExporter } from '../support/exporter.js';
import { freePort, quietPort, until } from '../support/live.js';
import { needsProgram } from '../support/needs.js';
import { readScrape } from '../support/text-format.js';
import { ask } from '../support/web.js';
import { createWorld } from '../support/world.js';

describe('load', () => {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  async function start(flags: string[] = []): Promise<Exporter> {
    const exporter = await startExporter(flags);
    ends.push(() => exporter.stop());
    return exporter;
  }

  it('of a thousand concurrent scrapes takes only a few scans', async () => {
    const world = createWorld('load-');
    ends.push(world.end);
    const one = await world.filebeat('loaded', [`127.0.0.1:${await quietPort()}`]);
    const exporter = await start(['--scan.freshness=1s']);
    await exporter.scrape();
    const agent = new Agent({ keepAlive: false });
    const began = Date.now();
    const answers = await Promise.all(
      Array.from(
        { length: 1000 },
        () =>
          new Promise<string>((resolve, reject) => {
            get(new URL('/metrics', exporter.url), { agent }, (response) => {
              let text = '';
              response.setEncoding('utf8').on('data', (piece: string) => {
                text += piece;
              });
              response.on('end', () => (response.statusCode === 200 ? resolve(text) : reject(new Error(text))));
            }).on('error', reject);
          }),
      ),
    );
    const seconds = (Date.now() - began) / 1000;
    const scans = new Set<number>();
    for (const text of new Set(answers)) {
      const scrape = readScrape(text);
      scans.add(scrape.value('filebeat_port_exporter_last_scan_timestamp_seconds')!);
      assert.equal(scrape.value('filebeat_port_up', { config: one.config }), 1);
    }
    assert.ok(scans.size <= 2 + seconds, `${scans.size} scans in ${seconds} s`);
    console.log(`# load: 1000 scrapes at once in ${seconds.toFixed(2)} s from ${scans.size} scans`);
  });

  it('of slow, silent and oversized clients does not prevent a scrape', async () => {
    const exporter = await start();
    const { port } = new URL(exporter.url);
    const sockets: Socket[] = [];
    ends.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    const open = (first: string) =>
      new Promise<Socket>((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          socket.write(first);
          resolve(socket);
        });
        socket.once('error', reject);
        socket.on('data', () => undefined).on('error', () => undefined);
        sockets.push(socket);
      });
    const slow = await Promise.all(Array.from({ length: 300 }, () => open('GET /metrics HTTP/1.1\r\nHost: a\r\nX-')));
    await Promise.all(Array.from({ length: 300 }, () => open('')));
    const dripping = setInterval(() => {
      for (const socket of slow) if (!socket.destroyed) socket.write('a');
    }, 200);
    ends.push(() => clearInterval(dripping));
    // Sends requests repeatedly and reads nothing.
    const greedy = await open('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(200));
    greedy.pause();
    for (let round = 0; round < 5; round++) {
      const began = performance.now();
      await exporter.scrape();
      assert.ok(performance.now() - began < 2000);
    }
    const huge = await ask(`${exporter.url}/metrics`, { headers: { 'X-Huge': 'a'.repeat(100_000) } }).catch(
      () => undefined,
    );
    assert.ok(huge === undefined || huge.status === 431);
    const body = await ask(`${exporter.url}/-/reload`, { method: 'POST', body: 'a'.repeat(100_000) }).catch(
      () => undefined,
    );
    assert.ok(body === undefined || body.status === 413);
    await exporter.scrape();
  });

  it('beyond --web.max-requests is refused, except the health check', async () => {
    const exporter = await start(['--web.max-requests=1']);
    const all = await Promise.all(Array.from({ length: 50 }, () => exporter.get('/metrics')));
    const statuses = new Set(all.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [200, 503]);
    assert.equal((await exporter.get('/-/healthy')).status, 200);
  });

  it('can use a socket that systemd opened', needsProgram('systemd-socket-activate'), async () => {
    const port = await freePort();
    const child = spawn(
      'systemd-socket-activate',
      [
        '-l',
        `127.0.0.1:${port}`,
        process.execPath,
        mainFile,
        'serve',
        '--web.listen-address=127.0.0.1:1',
        '--state.file=',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    ends.push(() => child.kill('SIGTERM'));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until('systemd listens', () => said.includes('Listening on'));
    const answer = await ask(`http://127.0.0.1:${port}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(said, /msg=listening address=http:\/\/127\.0\.0\.1:\d+/);
  });
});
