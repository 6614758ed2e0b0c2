/**
 * A file system that stops answering: strace holds back every system call of a process that names one of some paths, as
 * a network file system does whose server is gone. The kernel's own calls, in the real program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Hang {
  /** It answers again; calls that wait go on. */
  release(): Promise<void>;
}

/** Longer than any test waits. Seconds. */
const FOREVER = 120;

/**
 * Holds back `calls` (as strace names them) of all threads of `pid`, those to come included, each for so many seconds.
 * Without paths all of these calls.
 */
export async function hang(
  pid: number,
  paths: readonly string[],
  calls = 'statx,openat',
  seconds = FOREVER,
): Promise<Hang> {
  const strace = spawn(
    'strace',
    [
      ...['-f', '-p', `${pid}`, '-o', '/dev/null', '-e', `trace=${calls}`],
      ...['-e', `inject=${calls}:delay_enter=${seconds}s`],
      ...paths.flatMap((path) => ['-P', path]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(strace, 'exit');
  let said = '';
  await new Promise<void>((resolve, reject) => {
    strace.once('error', reject);
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('attached')) resolve();
    });
    ended.then(() => reject(new Error(`strace ended: ${said}`)), reject);
  });
  return {
    async release() {
      // It does not listen to gentler ones while it holds something back; what it held goes on by itself.
      strace.kill('SIGKILL');
      await ended;
    },
  };
}
