/** The web server on real sockets: addresses, error messages, slow and greedy clients, graceful close. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { Agent } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { listen, type WebServer } from '../../src/web/listen.js';
import { type ListenTarget, parseListenAddress } from '../../src/web/listen-address.js';
import { needsRoot } from '../support/needs.js';
import {
  ask,
  type Folder,
  makeCertificate,
  type Running,
  rawConnection,
  startServer,
  temporaryFolder,
} from '../support/web.js';

let folder: Folder;
const open: { close: (seconds: number) => Promise<void> }[] = [];
before(() => {
  folder = temporaryFolder();
  makeCertificate(folder, 'server');
});
after(() => folder.remove());
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(1)));
});

const hello: RequestListener = (_request, response) => {
  response.end('hello');
};
const start = async (options: Parameters<typeof startServer>[0] = {}): Promise<Running> => {
  const server = await startServer(options);
  open.push({ close: server.close });
  return server;
};
const listenOn = async (...targets: (string | ListenTarget)[]): Promise<WebServer> => {
  const parsed = targets.map((target) => (typeof target === 'string' ? parseListenAddress(target)! : target));
  const server = await listen(hello, { targets: parsed, log: () => undefined });
  open.push(server);
  return server;
};
/** Waits for a condition; polls. */
const until = async (what: string, isTrue: () => boolean, seconds = 10) => {
  const end = Date.now() + seconds * 1000;
  while (!isTrue()) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('listening', () => {
  it('works on several addresses of both families and on a path at once', async () => {
    const path = folder.path('web.sock');
    const server = await listenOn('127.0.0.1:0', '[::1]:0', 'localhost:0', ':0', `unix:${path}`);
    assert.match(
      server.addresses.join(' '),
      /^http:\/\/127\.0\.0\.1:\d+ http:\/\/\[::1\]:\d+ http:\/\/127\.0\.0\.1:\d+ http:\/\/\[::\]:\d+ unix:/,
    );
    for (const address of server.addresses.slice(0, 3)) assert.equal((await ask(address)).body, 'hello');
    const port = new URL(server.addresses[3]!).port;
    for (const host of ['127.0.0.1', '[::1]']) assert.equal((await ask(`http://${host}:${port}`)).body, 'hello');
    assert.equal((await ask('http://localhost/', { socketPath: path })).body, 'hello');
    await server.close(1);
    assert.ok(!existsSync(path), 'the socket file is gone');
  });

  it('replaces the socket file of a killed program, and nothing else', async () => {
    const path = folder.path('left.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await new Promise((resolve) => spawn(process.execPath, ['-e', script]).once('exit', resolve));
    assert.ok(statSync(path).isSocket());
    const first = await listenOn(`unix:${path}`);
    await assert.rejects(listenOn(`unix:${path}`), {
      message: `cannot listen on unix:${path}: another program already listens on it`,
    });
    assert.equal((await ask('http://localhost/', { socketPath: path })).body, 'hello', 'the first one still serves');
    await first.close(1);
    writeFileSync(path, 'precious');
    await assert.rejects(listenOn(`unix:${path}`), /another program already listens on it/);
    assert.equal(statSync(path).size, 8);
  });

  it('uses the sockets that systemd opened', async () => {
    const script = `
      import { activatedSockets } from ${JSON.stringify(new URL('../../src/web/listen-address.js', import.meta.url).href)};
      import { listen } from ${JSON.stringify(new URL('../../src/web/listen.js', import.meta.url).href)};
      const targets = activatedSockets({ ...process.env, LISTEN_PID: String(process.pid) }, process.pid);
      const server = await listen((_, response) => response.end('activated'), { targets, log() {} });
      console.log(server.addresses.join());
      process.once('SIGTERM', () => server.close(1));`;
    const opener: Server = createServer();
    await new Promise<void>((resolve) => opener.listen(0, '127.0.0.1', resolve));
    const { port } = opener.address() as { port: number };
    const descriptor = (opener as unknown as { _handle: { fd: number } })._handle.fd;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit', descriptor],
      env: { ...process.env, LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let said = '';
    child.stdout?.on('data', (chunk) => {
      said += chunk;
    });
    await until('the child listens', () => said.includes('\n'));
    // This process shares the socket and must not accept.
    await new Promise((resolve) => opener.close(resolve));
    assert.equal(said.trim(), `http://127.0.0.1:${port}`);
    assert.equal((await ask(`http://127.0.0.1:${port}`)).body, 'activated');
    child.kill();
    assert.equal(await ended, 0);
  });

  it('fails with one sentence, and leaves nothing open', async () => {
    const { port } = await start();
    const free = await start();
    await free.close();
    await assert.rejects(listenOn(`127.0.0.1:${free.port}`, `127.0.0.1:${port}`), {
      message: `cannot listen on 127.0.0.1:${port}: another program already listens on it`,
    });
    await listenOn(`127.0.0.1:${free.port}`);
    const strange = Object.values(networkInterfaces())
      .flat()
      .some((entry) => entry?.address === '192.0.2.1');
    if (!strange)
      await assert.rejects(
        listenOn('192.0.2.1:0'),
        /^Error: cannot listen on 192\.0\.2\.1:0: this machine has no such address$/,
      );
    await assert.rejects(listenOn('no-such-name.invalid:0'), /no-such-name\.invalid:0: the name cannot be resolved/);
    await assert.rejects(listenOn('unix:/no/such/folder/x.sock'), /permission denied or no such folder$/);
    await assert.rejects(
      listenOn({ kind: 'descriptor', descriptor: 9999 }),
      /systemd: it is not a listening stream socket/,
    );
  });

  it('reports a lack of permission', needsRoot, async () => {
    chmodSync(folder.path('.'), 0o755);
    process.seteuid?.(65_534);
    try {
      await assert.rejects(listenOn(`unix:${folder.path('x.sock')}`), /x\.sock: permission denied or no such folder$/);
    } finally {
      process.seteuid?.(0);
    }
  });
});

const schemes = ['http', 'https'] as const;
const configFor = (scheme: (typeof schemes)[number]) =>
  scheme === 'http'
    ? {}
    : { configFile: folder.write('tls.yml', 'tls_server_config: {cert_file: server.crt, key_file: server.key}') };
const get = (server: Running) => ask(server.url, { tls: { rejectUnauthorized: false } });
/** A connection, ready to send a request. */
const connection = async (
  server: Running,
): Promise<{ socket: Socket; received: () => string; ended: Promise<void> }> => {
  if (server.url.startsWith('http:')) return rawConnection(server.port);
  const socket = tlsConnect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
  let text = '';
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return { socket, received: () => text, ended };
};

for (const scheme of schemes)
  describe(`clients that misbehave over ${scheme}`, () => {
    it('are disconnected if their headers arrive too slowly, while others are served', async () => {
      const server = await start({ ...configFor(scheme), limits: { headers: 300, request: 600, checkEvery: 50 } });
      const slow = await Promise.all(Array.from({ length: 50 }, () => connection(server)));
      let ended = 0;
      for (const { socket, ended: end } of slow) {
        socket.write('GET / HTTP/1.1\r\n');
        void end.then(() => ended++);
      }
      const drip = setInterval(() => {
        for (const { socket } of slow) if (socket.writable) socket.write('X: y\r\n');
      }, 50);
      try {
        for (let i = 0; i < 20; i++) assert.equal((await get(server)).body, 'hello');
        await until('all of them are gone', () => ended === slow.length);
      } finally {
        clearInterval(drip);
      }
      assert.match(slow[0]!.received(), /^(HTTP\/1\.1 408 |$)/);
    });

    it('are disconnected if they connect and send nothing', async () => {
      const server = await start({ ...configFor(scheme), limits: { headers: 200, handshake: 200, checkEvery: 50 } });
      const { ended } = await rawConnection(server.port);
      await ended;
      assert.equal((await get(server)).body, 'hello');
    });

    it('make room for others if all connections are in use', async () => {
      const server = await start({ ...configFor(scheme), limits: { connections: 20 } });
      const idle = await Promise.all(Array.from({ length: 100 }, () => rawConnection(server.port)));
      for (let i = 0; i < 10; i++) assert.equal((await get(server)).body, 'hello');
      for (const { socket } of idle) socket.destroy();
    });

    it('get 431 for huge headers, and 413 for a body', async () => {
      const server = await start(configFor(scheme));
      const huge = await connection(server);
      huge.socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`);
      await huge.ended;
      assert.match(huge.received(), /^HTTP\/1\.1 431 /);
      for (const head of ['Content-Length: 5000', 'Transfer-Encoding: chunked', 'Content-Length: 99999999999']) {
        const greedy = await connection(server);
        greedy.socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
        await greedy.ended;
        assert.match(greedy.received(), /^HTTP\/1\.1 413 /);
      }
      assert.equal((await get(server)).body, 'hello');
    });

    it('get no answer to garbage, and the server goes on', async () => {
      const server = await start(configFor(scheme));
      for (const text of [
        '\0\0\0\0\r\n\r\n',
        'GET\r\n\r\n',
        'GET / HTTP/9.9\r\n\r\n',
        'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
        'GET / HTTP/1.1\r\n\r\n',
        'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      ]) {
        const { socket, received, ended } = await connection(server);
        socket.write(text);
        await ended;
        assert.match(received(), /^(HTTP\/1\.1 4\d\d |$)/, JSON.stringify(text));
      }
      const raw = await rawConnection(server.port);
      raw.socket.end('\x16\x03\x01garbage garbage garbage');
      await raw.ended;
      assert.equal((await get(server)).body, 'hello');
      assert.deepEqual(
        server.logged.filter((line) => !line.startsWith('debug')),
        [],
      );
    });

    it('are disconnected if they do not read the response', async () => {
      const app: RequestListener = (_request, response) => response.end(Buffer.alloc(64 * 1024 * 1024));
      const server = await start({ ...configFor(scheme), app, limits: { silence: 300 } });
      const { socket, ended } = await connection(server);
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('the response arrives', () => socket.readableLength > 0);
      // Only a client that reads notices the end, so the received data is discarded here.
      setTimeout(() => socket.removeAllListeners('data').resume(), 1000);
      await ended;
      assert.ok(socket.bytesRead < 64 * 1024 * 1024);
    });
  });

describe('a request that fails in the application', () => {
  it('fails alone, also if the application throws', async () => {
    let calls = 0;
    const server = await start({
      app: (_request, response) => {
        if (++calls === 1) throw new Error('boom');
        response.end('fine');
      },
    });
    assert.equal((await ask(server.url)).status, 500);
    assert.equal((await ask(server.url)).body, 'fine');
    assert.deepEqual(server.logged, ['error: request failed with an internal error (boom)']);
  });

  it('from another web site cannot change anything', async () => {
    const server = await start();
    const headers = { Origin: 'http://evil.example' };
    assert.equal((await ask(server.url, { method: 'POST', headers })).status, 403);
    assert.equal((await ask(server.url, { method: 'POST' })).status, 200);
  });

  it('under another name is refused on a loopback listener, but not on one for the network', async () => {
    const local = await start();
    const wide = await start({ host: '0.0.0.0' });
    const headers = { Host: 'evil.example' };
    assert.equal((await ask(local.url, { headers })).status, 421);
    assert.equal((await ask(local.url)).status, 200);
    assert.equal((await ask(`http://127.0.0.1:${wide.port}`, { headers })).status, 200);
  });

  it('beyond the rate limit gets 429', async () => {
    const server = await start({ configFile: folder.write('rate.yml', 'rate_limit: {interval: 1h, burst: 2}') });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask(server.url)).status);
    assert.deepEqual(statuses, [200, 200, 429]);
  });
});

for (const scheme of schemes)
  describe(`closing over ${scheme}`, () => {
    const held = () => {
      const waiting: (() => void)[] = [];
      const app: RequestListener = (request, response) => {
        if (request.url === '/slow') waiting.push(() => response.end('finished'));
        else response.end('hello');
      };
      return { app, waiting };
    };

    it('lets a request finish, closes idle connections and accepts no new ones', async () => {
      const { app, waiting } = held();
      const server = await startServer({ ...configFor(scheme), app });
      const idle = await connection(server);
      idle.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('the first answer', () => idle.received().includes('hello'));
      const slow = await connection(server);
      slow.socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('the request is there', () => waiting.length === 1);
      const silent = await rawConnection(server.port);
      let done = false;
      const closed = server.close(30).then(() => {
        done = true;
      });
      await idle.ended;
      await silent.ended;
      await assert.rejects(get(server));
      assert.ok(!done, 'waits for the request');
      waiting[0]?.();
      await slow.ended;
      assert.match(slow.received(), /connection: close[\s\S]*finished/i);
      await closed;
    });

    it('serves a request that was being sent, with Connection: close', async () => {
      const { app } = held();
      const server = await startServer({ ...configFor(scheme), app });
      const late = await connection(server);
      const text = 'GET / HTTP/1.1\r\nHost: localhost\r\n';
      late.socket.write(text);
      // After another round trip the server has read the first half.
      await get(server);
      const closed = server.close(30);
      late.socket.write('\r\n');
      await late.ended;
      assert.match(late.received(), /connection: close[\s\S]*hello/i);
      await closed;
    });

    it('ends at the deadline, whatever is in progress', async () => {
      const { app, waiting } = held();
      const server = await startServer({ ...configFor(scheme), app });
      const slow = await connection(server);
      slow.socket.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('the request is there', () => waiting.length === 1);
      const start = performance.now();
      await server.close(0.3);
      assert.ok(performance.now() - start < 3000);
      await slow.ended;
    });
  });

describe('connections', () => {
  it('are kept alive between scrapes, and leak no descriptor', async () => {
    for (const scheme of schemes) {
      const server = await startServer(configFor(scheme));
      const { readdirSync } = await import('node:fs');
      const count = () => readdirSync('/proc/self/fd').length;
      await get(server);
      const before = count();
      await Promise.all(Array.from({ length: 100 }, () => get(server)));
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const { socket } = await rawConnection(server.port);
          socket.resetAndDestroy();
        }),
      );
      await until('all descriptors are given back', () => count() <= before + 2);
      await server.close();
    }
    const server = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers = [await ask(server.url, { agent }), await ask(server.url, { agent })];
    assert.deepEqual(
      answers.map(({ headers }) => headers['keep-alive']),
      ['timeout=125', 'timeout=125'],
    );
    agent.destroy();
  });
});
