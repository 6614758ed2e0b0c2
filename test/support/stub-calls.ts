/** The protocol of `stub-program.ts`: one message, one system call, one reply, in order. */
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type CallName, callNumber, DATA_ADDRESS, DATA_BYTES, MESSAGE_BYTES } from './stub-program.js';

type Word = number | bigint;

const ERRNO: Record<number, string> = {
  1: 'EPERM',
  2: 'ENOENT',
  11: 'EAGAIN',
  13: 'EACCES',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
};

/** One call in the program's format. `inChild`: the call of the child that this call creates. */
export function messageOf(
  name: CallName,
  words: readonly Word[],
  data: Buffer = Buffer.alloc(0),
  inChild: readonly Word[] = [],
): Buffer {
  if (data.length > DATA_BYTES) throw new Error('more data than a message holds');
  const message = Buffer.alloc(MESSAGE_BYTES);
  for (const [index, word] of [callNumber(name), ...words].entries()) message.writeBigInt64LE(BigInt(word), index * 8);
  for (const [index, word] of inChild.entries()) message.writeBigInt64LE(BigInt(word), (7 + index) * 8);
  data.copy(message, MESSAGE_BYTES - DATA_BYTES);
  return message;
}

export function createCaller(child: ChildProcessByStdio<Writable, Readable, null>, ended: Promise<void>) {
  const waiting: ((reply: Buffer) => void)[] = [];
  let received = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= MESSAGE_BYTES) {
      waiting.shift()?.(received.subarray(0, MESSAGE_BYTES));
      received = received.subarray(MESSAGE_BYTES);
    }
  });
  child.stdin.on('error', () => {}); // It may be dead already, which `ended` reports.

  /** The whole reply, whatever the result. */
  function post(name: CallName, words: readonly Word[], data: Buffer, inChild: readonly Word[] = []): Promise<Buffer> {
    child.stdin.write(messageOf(name, words, data, inChild));
    return Promise.race([
      new Promise<Buffer>((resolve) => waiting.push(resolve)),
      ended.then(() => Promise.reject(new Error(`stand-in ${child.pid} has ended`))),
    ]);
  }

  /** Rejects with the errno's name as `code`. `data` of the reply: the message's data after the call. */
  async function call(
    name: CallName,
    words: readonly Word[],
    data: Buffer = Buffer.alloc(0),
    inChild: readonly Word[] = [],
  ) {
    const reply = await post(name, words, data, inChild);
    const result = Number(reply.readBigInt64LE(0));
    if (result >= 0) return { result, data: reply.subarray(MESSAGE_BYTES - DATA_BYTES) };
    const code = ERRNO[-result] ?? `errno ${-result}`;
    throw Object.assign(new Error(`${name}: ${code}`), { code });
  }

  /** The pending calls will get no reply. */
  function forget() {
    waiting.length = 0;
  }

  return { post, call, forget };
}

/** A C string. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

/** A path and an argv for execve(2), laid out in the data of a message. */
export function wordsFor(file: string, argv: readonly string[]): { file: number; argv: number; data: Buffer } {
  const words = [file, ...argv].map(text);
  const pointers = Buffer.alloc((argv.length + 1) * 8);
  let at = pointers.length + words[0]!.length;
  for (const [index, word] of words.slice(1).entries()) {
    pointers.writeBigInt64LE(BigInt(DATA_ADDRESS + at), index * 8);
    at += word.length;
  }
  return { file: DATA_ADDRESS + pointers.length, argv: DATA_ADDRESS, data: Buffer.concat([pointers, ...words]) };
}
