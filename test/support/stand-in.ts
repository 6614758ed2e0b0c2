/**
 * Stand-ins for Filebeat: real processes with the program file, name, command line, directory, environment and sockets
 * that a test or the demonstration needs. They only bind sockets. Filebeat itself is not needed.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { AF_INET, type Bind, parseBind } from './bind-words.js';
import { createCaller, text, wordsFor } from './stub-calls.js';
import { callNumber, DATA_ADDRESS, DATA_BYTES, writeStub } from './stub-program.js';

export interface StandInOptions {
  /** Including `argv[0]`, as in `/proc/<pid>/cmdline`. */
  argv: readonly string[];
  /**
   * Name of the program file; default: the last part of `argv[0]`. Its first 15 bytes are `comm`. All stand-ins of one
   * name share one file; with a folder (`old/filebeat`) it is another one.
   */
  name?: string;
  cwd?: string;
  /** Its whole environment; nothing is inherited. */
  env?: Record<string, string>;
  uid?: number;
  gid?: number;
  /** Sockets to bind, see `bind-words.ts`. A failure rejects, unless `mayFail`, as Filebeat runs on. */
  sockets?: readonly string[];
  mayFail?: boolean;
  /** A new network namespace (with `lo` up), or that of another process. Needs root. */
  netns?: 'new' | { pid: number };
  /** Another root directory for it, as in a container. Needs root. */
  root?: string;
  /** A file that it opens for appending, like Filebeat's log. */
  log?: string;
}

export interface BindOptions {
  reusePort?: boolean;
  /** SO_RCVBUF, bytes. */
  receiveBuffer?: number;
}

export interface StandIn {
  readonly pid: number;
  /** Its program file. */
  readonly executable: string;
  /** Binds (and listens, for TCP) and returns the descriptor. Rejects with a `code` such as `EADDRINUSE`. */
  bind(words: string, options?: BindOptions): Promise<number>;
  /** The port of a socket. */
  portOf(fd: number): Promise<number>;
  /** A connected UDP socket, which is not a listener. */
  connect(words: string): Promise<number>;
  close(fd: number): Promise<void>;
  /** Descriptors of the initial sockets, in order. */
  readonly descriptors: readonly number[];
  /** Codes such as `EADDRINUSE` of those that failed. */
  readonly failures: ReadonlyMap<string, string>;
  /** Reads up to `count` queued datagrams; returns their number. */
  receive(fd: number, count: number): Promise<number>;
  /** Forks a child that inherits all sockets, or executes another program. It exits after ten minutes. */
  fork(program?: { file: string; argv: readonly string[] }): Promise<number>;
  /** Blocks in the kernel, in state D, by vfork(2) with an idle child, until the returned function is called. */
  stall(): Promise<() => Promise<void>>;
  /** Executes another stand-in (same pid and start time), `name` in the same folder. */
  exec(name: string, argv: readonly string[]): Promise<void>;
  /** Removes its program file, like an upgrade. */
  removeExecutable(): void;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it and its children. */
  stop(): Promise<void>;
}

const CLONE_NEWNET = 0x40000000;
const CLONE_VFORK = 0x4000;
const SIGCHLD = 17;
const SOL_SOCKET = 1;
const MSG_DONTWAIT = 0x40;
let folder: string | undefined;
const written = new Set<string>();

/** The program under that name, written once per test process. */
function programFile(name: string): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'stand-in-'));
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const file = join(folder, name);
  if (!written.has(file)) writeStub(file);
  written.add(file);
  return file;
}

export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const { argv, cwd, env = {}, uid, gid, sockets = [], netns, root } = options;
  const executable = programFile(options.name ?? basename(argv[0]!));
  const log = options.log === undefined ? undefined : openSync(options.log, 'a', 0o600);
  const child = spawn(executable, argv.slice(1), {
    argv0: argv[0]!,
    env,
    // Its descriptor 3, where there is a log.
    stdio: ['pipe', 'pipe', 'ignore', ...(log === undefined ? [] : [log])] as ['pipe', 'pipe', 'ignore'],
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  if (log !== undefined) closeSync(log);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = child.pid!;
  const children: number[] = [];
  const descriptors: number[] = [];
  const failures = new Map<string, string>();

  const { post, call, forget } = createCaller(child, ended);
  const int = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const option = (fd: number, level: number, name: number, value: number) =>
    call('setsockopt', [fd, level, name, DATA_ADDRESS, 4], int(value));

  async function open({ family, protocol }: Bind): Promise<number> {
    return (await call('socket', [family, protocol === 'udp' ? 2 : 1, 0])).result;
  }

  async function bind(words: string, { reusePort, receiveBuffer }: BindOptions = {}): Promise<number> {
    const wanted = parseBind(words);
    const fd = await open(wanted);
    try {
      if (wanted.family !== AF_INET) await option(fd, 41, 26, wanted.v6only ? 1 : 0);
      // As in Go: TCP listeners set SO_REUSEADDR, UDP sockets do not.
      if (wanted.protocol === 'tcp') await option(fd, SOL_SOCKET, 2, 1);
      if (reusePort) await option(fd, SOL_SOCKET, 15, 1);
      if (receiveBuffer !== undefined) await option(fd, SOL_SOCKET, 8, receiveBuffer);
      await call('bind', [fd, DATA_ADDRESS, wanted.sockaddr.length], wanted.sockaddr);
      if (wanted.protocol === 'tcp') await call('listen', [fd, 128]);
      return fd;
    } catch (error) {
      await close(fd);
      throw error;
    }
  }

  async function portOf(fd: number): Promise<number> {
    const { data } = await call(
      'getsockname',
      [fd, DATA_ADDRESS, DATA_ADDRESS + 28],
      Buffer.concat([Buffer.alloc(28), int(28)]),
    );
    return data.readUInt16BE(2);
  }

  async function connect(words: string): Promise<number> {
    const peer = parseBind(words);
    const fd = await open(peer);
    await call('connect', [fd, DATA_ADDRESS, peer.sockaddr.length], peer.sockaddr);
    return fd;
  }

  async function close(fd: number): Promise<void> {
    await call('close', [fd]);
  }

  async function receive(fd: number, count: number): Promise<number> {
    for (let taken = 0; taken < count; taken++) {
      try {
        await call('recvfrom', [fd, DATA_ADDRESS, DATA_BYTES, MSG_DONTWAIT, 0, 0]);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return taken;
        throw error;
      }
    }
    return count;
  }

  async function fork(program?: { file: string; argv: readonly string[] }): Promise<number> {
    const forever = Buffer.alloc(32);
    forever.writeBigInt64LE(600n, 16);
    const image = program ? wordsFor(program.file, program.argv) : undefined;
    const then = image
      ? [callNumber('execve'), image.file, image.argv, 0]
      : [callNumber('setitimer'), 0, DATA_ADDRESS, 0];
    const { result } = await call('clone', [SIGCHLD, 0, 0, 0, 0], image?.data ?? forever, then);
    children.push(result);
    return result;
  }

  async function stall(): Promise<() => Promise<void>> {
    const forever = Buffer.alloc(32);
    forever.writeBigInt64LE(600n, 16);
    const pause = [callNumber('setitimer'), 0, DATA_ADDRESS, 0] as const;
    // The parent continues once the child exits, and only then replies.
    const answered = call('clone', [CLONE_VFORK | SIGCHLD, 0, 0, 0, 0], forever, [...pause]);
    answered.catch(() => undefined);
    const list = `/proc/${pid}/task/${pid}/children`;
    let known = readFileSync(list, 'utf8').trim();
    while (known === '') {
      await new Promise((resolve) => setTimeout(resolve, 20));
      known = readFileSync(list, 'utf8').trim();
    }
    const child = Number(known.split(' ').at(-1));
    children.push(child);
    return async () => {
      process.kill(child, 'SIGKILL');
      await answered;
    };
  }

  async function exec(name: string, words: readonly string[]): Promise<void> {
    const image = wordsFor(programFile(name), words);
    // A successful exec has no reply: the next reply comes from the new program.
    const failed = post('execve', [image.file, image.argv, 0], image.data);
    const first = (await Promise.race([failed, post('getpid', [], Buffer.alloc(0))])).readBigInt64LE(0);
    forget();
    if (first !== BigInt(pid)) throw new Error(`execve: errno ${-first}`);
  }

  /** Brings up `lo`: struct ifreq with IFF_UP, SIOCSIFFLAGS. */
  async function raiseLoopback(): Promise<void> {
    const request = Buffer.alloc(40);
    request.write('lo');
    request.writeInt16LE(1, 16);
    const { result: fd } = await call('socket', [AF_INET, 2, 0]);
    await call('ioctl', [fd, 0x8914, DATA_ADDRESS], request);
    await close(fd);
  }

  async function enter(): Promise<void> {
    if (netns === 'new') {
      await call('unshare', [CLONE_NEWNET]);
      await raiseLoopback();
    } else if (netns !== undefined) {
      const { result: fd } = await call('openat', [-100, DATA_ADDRESS, 0], text(`/proc/${netns.pid}/ns/net`));
      await call('setns', [fd, CLONE_NEWNET]);
      await close(fd);
    }
    if (root !== undefined) {
      await call('chroot', [DATA_ADDRESS], text(root));
      await call('chdir', [DATA_ADDRESS], text(cwd ?? '/'));
    }
  }

  async function kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    child.kill(signal);
    await ended;
  }

  async function stop(): Promise<void> {
    for (const one of children.splice(0)) {
      try {
        process.kill(one, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await kill();
  }

  try {
    await enter();
    for (const words of sockets) {
      try {
        descriptors.push(await bind(words));
      } catch (error) {
        if (!options.mayFail) throw error;
        failures.set(words, (error as NodeJS.ErrnoException).code ?? String(error));
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid,
    executable,
    descriptors,
    failures,
    bind,
    portOf,
    connect,
    close,
    receive,
    fork,
    stall,
    exec,
    kill,
    stop,
    removeExecutable: () => {
      unlinkSync(executable);
      written.delete(executable);
    },
  };
}
