/** Certificates from the openssl command, requests over real sockets, and a web server on a free port. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import {
  type IncomingHttpHeaders,
  request as plainRequest,
  type RequestListener,
  type RequestOptions,
} from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Limits } from '../../src/web/backend.js';
import { listen } from '../../src/web/listen.js';

export interface Folder {
  path: (name: string) => string;
  write: (name: string, text: string) => string;
  read: (name: string) => string;
  remove: () => void;
}

export function temporaryFolder(): Folder {
  const top = mkdtempSync(join(tmpdir(), 'web-'));
  const path = (name: string) => join(top, name);
  return {
    path,
    write: (name, text) => {
      writeFileSync(path(name), text);
      return path(name);
    },
    read: (name) => readFileSync(path(name), 'utf8'),
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Makes `NAME.crt` and `NAME.key` in the folder, signed by `issuer` or self-signed. `extensions`: lines such as `subjectAltName=DNS:a`. */
export function makeCertificate(
  folder: Folder,
  name: string,
  { issuer, extensions = [] }: { issuer?: string; extensions?: string[] } = {},
): void {
  const signer = issuer ? ['-CA', folder.path(`${issuer}.crt`), '-CAkey', folder.path(`${issuer}.key`)] : [];
  openssl([
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', folder.path(`${name}.key`), '-out', folder.path(`${name}.crt`), ...signer],
    ...extensions.flatMap((extension) => ['-addext', extension]),
  ]);
}

export function openssl(...parts: string[][]): string {
  return opensslOver('', parts.flat());
}

/** Output of the command; `input`: its stdin. */
export function opensslOver(input: string, args: readonly string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], input });
}

export interface Pair {
  certificate: string;
  key: string;
}

/** Two certificates with their keys, as PEM. */
export function certificatePairs(): [Pair, Pair] {
  const folder = temporaryFolder();
  const make = (name: string): Pair => {
    makeCertificate(folder, name);
    return { certificate: folder.read(`${name}.crt`), key: folder.read(`${name}.key`) };
  };
  try {
    return [make('own'), make('other')];
  } finally {
    folder.remove();
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Ask extends Pick<RequestOptions, 'method' | 'headers' | 'agent' | 'socketPath' | 'auth'> {
  tls?: ConnectionOptions;
  body?: string;
}

/** One request on a connection of its own. Rejects if the connection ends without a response. */
export function ask(url: string, { tls, body, ...options }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { agent: false, ...options, ...tls } as RequestOptions;
    const request = (url.startsWith('https:') ? tlsRequest : plainRequest)(url, all, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

export interface Running {
  url: string;
  port: number;
  logged: string[];
  close: (seconds?: number) => Promise<void>;
}

/** A server on a free port of 127.0.0.1; the default application answers `hello`. */
export async function startServer(
  options: { configFile?: string; app?: RequestListener; limits?: Partial<Limits>; host?: string; rest?: number } = {},
): Promise<Running> {
  const logged: string[] = [];
  const app: RequestListener = options.app ?? ((_request, response) => response.end('hello'));
  const server = await listen(app, {
    targets: [{ kind: 'tcp', host: options.host ?? '127.0.0.1', port: 0 }],
    configFile: options.configFile,
    limits: options.limits ?? {},
    quietSeconds: options.rest ?? 0,
    log: (level, message) => logged.push(`${level}: ${message}`),
  });
  const url = server.addresses[0]!;
  return { url, port: Number(new URL(url).port), logged, close: (seconds = 2) => server.close(seconds) };
}

/** A raw connection; `received()` returns everything received. */
export function rawConnection(port: number): Promise<{ socket: Socket; received: () => string; ended: Promise<void> }> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    const ended = new Promise<void>((done) => socket.once('close', () => done()));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('connect', () => {
      socket.off('error', reject).on('error', () => undefined);
      resolve({ socket, received: () => text, ended });
    });
    socket.once('error', reject);
  });
}

export function basic(user: string, password: string): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
