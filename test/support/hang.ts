/**
 * A file system that stops responding: strace delays every system call of a process with one of these paths, like a
 * network file system whose server is gone. Real system calls, in the real program.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Hang {
  /** Responds again; pending calls continue. */
  release(): Promise<void>;
}

/** Longer than any test. Seconds. */
const FOREVER = 120;

/**
 * Delays `calls` (strace names) of all present and future threads of `pid`, each by `seconds`. Without paths, all of
 * these calls.
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
      // strace ignores other signals during a delay; delayed calls then continue.
      strace.kill('SIGKILL');
      await ended;
    },
  };
}
