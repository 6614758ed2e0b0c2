/**
 * Sends datagrams over loopback in the network namespace of a stand-in: run as `sender.js` it reads lines
 * `ADDRESS PORT COUNT` and prints `sent` for each, once the kernel has all datagrams, which it delivers at once.
 */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';

export interface Sender {
  send(port: number, count: number, address?: string): Promise<void>;
  stop(): Promise<void>;
}

/** `pid`: the process whose namespace is used; undefined: this one. */
export async function startSender(pid?: number): Promise<Sender> {
  const inside = pid === undefined ? [] : ['nsenter', '-t', `${pid}`, '-n'];
  const [file, ...words] = [...inside, process.execPath, fileURLToPath(import.meta.url), 'sender'];
  const child = spawn(file!, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<void>((resolve, reject) => child.once('error', reject).once('exit', () => resolve()));
  return {
    async send(port, count, address = '127.0.0.1') {
      child.stdin.write(`${address} ${port} ${count}\n`);
      if ((await answers.next()).value !== 'sent') throw new Error('the sender ended');
    },
    stop() {
      child.stdin.end();
      return ended;
    },
  };
}

async function serve(): Promise<void> {
  for await (const line of createInterface(process.stdin)) {
    const [address, port, count] = line.split(' ') as [string, string, string];
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    for (let sent = 0; sent < Number(count); sent++)
      await new Promise((resolve) => socket.send('<13>a line of a log', Number(port), address, resolve));
    socket.close();
    process.stdout.write('sent\n');
  }
}

if (process.argv[2] === 'sender') await serve();
