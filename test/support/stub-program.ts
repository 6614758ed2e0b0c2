/**
 * A program of about 300 bytes that executes the system calls it receives, one by one: the body of every stand-in.
 * It can have the name, command line and user of a Filebeat, needs no compiler, starts in a millisecond and takes 8 KiB,
 * so hundreds can run at once. It reads messages of 4,096 bytes from descriptor 0 and writes them back to 1 with the
 * result in the first eight bytes; it exits at the end of the input.
 *
 * A message is `number, a1 … a6` (64-bit words), the same seven words for a child, then data. If the first call returns
 * 0 and the child's number is not 0 (a clone, seen from the child), the second call is executed and the process sleeps.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Address of the message in the program's memory: pointers into its data are `DATA_ADDRESS + offset`. */
const MESSAGE_ADDRESS = 0x600000;
const HEADER_BYTES = 2 * 7 * 8;
export const MESSAGE_BYTES = 4096;
export const DATA_ADDRESS = MESSAGE_ADDRESS + HEADER_BYTES;
export const DATA_BYTES = MESSAGE_BYTES - HEADER_BYTES;

const CODE: Partial<Record<NodeJS.Architecture, { machine: number; code: string }>> = {
  x64: {
    machine: 62,
    code: [
      '31ff be00006000 ba00100000 31c0 0f05', //     next:  read(0, message, 4096)
      '4885c0 7e42', //                                     if (rax <= 0) goto quit
      'bb00006000 e841000000', //                           rbx = message; call do
      '4885c0 7518 48837b3800 7411', //                     if (rax != 0 || message[7] == 0) goto reply
      '83c338 e82d000000', //                               rbx += 56; call do
      'b822000000 0f05 ebf7', //                     sleep: pause(); goto sleep
      '488903', //                                   reply: message[0] = rax
      'bf01000000 be00006000 ba00100000', //                write(1, message, 4096)
      'b801000000 0f05 eba9', //                            goto next
      '31ff b8e7000000 0f05', //                     quit:  exit_group(0)
      '488b03 488b7b08 488b7310 488b5318', //        do:    rax, rdi, rsi, rdx,
      '4c8b5320 4c8b4328 4c8b4b30 0f05 c3', //              r10, r8, r9 = rbx[0…6]; syscall; ret
    ].join(''),
  },
  arm64: {
    machine: 183,
    code: [
      '000080d2 130ca0d2 e10313aa 020082d2', //      next:  x19 = message
      'e80780d2 010000d4', //                               read(0, message, 4096)
      '1f0000f1 ad020054', //                               if (x0 <= 0) goto quit
      '17000094 800100b5', //                               call do; if (x0 != 0) goto reply
      '691e40f9 490100b4', //                               if (message[7] == 0) goto reply
      '73e20091 12000094', //                               x19 += 56; call do
      '000080d2 010080d2 020080d2 030080d2', //      sleep: ppoll(0, 0, 0, 0)
      '280980d2 010000d4 faffff17', //                      goto sleep
      '600200f9 200080d2 e10313aa 020082d2', //      reply: message[0] = x0; write(1, message, 4096)
      '080880d2 010000d4 e5ffff17', //                      goto next
      '000080d2 c80b80d2 010000d4', //               quit:  exit_group(0)
      '680240f9 608640a9 628e41a9 649642a9', //      do:    x8, x0 … x5 = x19[0…6]
      '010000d4 c0035fd6', //                               svc; ret
    ].join(''),
  },
};

/** System call numbers that stand-ins use: [x64, arm64]. */
const NUMBERS = {
  socket: [41, 198],
  bind: [49, 200],
  connect: [42, 203],
  listen: [50, 201],
  close: [3, 57],
  setsockopt: [54, 208],
  getsockname: [51, 204],
  recvfrom: [45, 207],
  clone: [56, 220],
  execve: [59, 221],
  setitimer: [38, 103],
  unshare: [272, 97],
  setns: [308, 268],
  openat: [257, 56],
  ioctl: [16, 29],
  chroot: [161, 51],
  chdir: [80, 49],
  getpid: [39, 172],
  ppoll: [271, 73],
  close_range: [436, 436],
} as const;

export type CallName = keyof typeof NUMBERS;

export function callNumber(name: CallName): number {
  return NUMBERS[name][process.arch === 'arm64' ? 1 : 0];
}

/** Writes the program as `file`; throws on other machines than x64 and arm64. */
export function writeStub(file: string): void {
  const body = CODE[process.arch];
  if (body === undefined || process.platform !== 'linux')
    throw new Error(`stand-ins run on Linux, x64 or arm64, not on ${process.platform} ${process.arch}`);
  mkdirSync(dirname(file), { recursive: true });
  // Written under another name first: a file cannot be executed while it is being written.
  writeFileSync(`${file}.new`, elf(body.machine, Buffer.from(body.code.replaceAll(' ', ''), 'hex')), { mode: 0o755 });
  renameSync(`${file}.new`, file);
}

/** A static executable with three segments: code, the message, and a non-executable stack; see elf(5). */
function elf(machine: number, code: Buffer): Buffer {
  const headers = 64 + 3 * 56;
  const file = Buffer.alloc(headers);
  file.write('7f454c46020101', 'hex');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(0x400000 + headers), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(3, 56);
  file.writeUInt16LE(64, 58);
  const segment = (index: number, type: number, flags: number, address: number, inFile: number, inMemory: number) => {
    const at = 64 + index * 56;
    file.writeUInt32LE(type, at);
    file.writeUInt32LE(flags, at + 4);
    file.writeBigUInt64LE(BigInt(address), at + 16);
    file.writeBigUInt64LE(BigInt(address), at + 24);
    file.writeBigUInt64LE(BigInt(inFile), at + 32);
    file.writeBigUInt64LE(BigInt(inMemory), at + 40);
    file.writeBigUInt64LE(0x10000n, at + 48);
  };
  segment(0, 1, 5, 0x400000, headers + code.length, headers + code.length);
  segment(1, 1, 6, MESSAGE_ADDRESS, 0, MESSAGE_BYTES);
  segment(2, 0x6474e551, 6, 0, 0, 0);
  return Buffer.concat([file, code]);
}
