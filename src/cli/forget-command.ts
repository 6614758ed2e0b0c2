/** `forget NAME`: removes an instance that is no longer expected from the state file, or the learned listeners of one that is. */

import type { Logger } from '../runtime/log.js';
import { openStateFile } from '../scan/host-scan.js';
import { forget as forgetIn } from '../state/memory-forget.js';
import type { Flags } from './flags.js';
import { isStillExpected, openHost } from './open-host.js';
import type { Printed } from './print-once.js';

/** Exit code 2: nothing of that name is remembered. A running server notices the changed state file. */
export async function forget(flags: Flags, name: string, log: Logger): Promise<Printed> {
  // A scan tells whether the instance is still expected: one that is keeps its history.
  const host = await openHost({ flags, log, isSingleScan: true, remember: false });
  const { snapshot } = await host.reporter.get();
  const isExpected = isStillExpected(snapshot, name);
  const { memory, state } = openStateFile(flags['state.file'], (level, message) => log[level](message));
  const port = flags.port === undefined ? {} : { port: flags.port };
  const result = forgetIn(state, name, { ...port, keepInstance: isExpected });
  if (!result.forgot) {
    const why = isExpected
      ? `${name} is still expected to run and has no such learned port`
      : `no instance named ${name} is remembered`;
    return { text: `${why}\n`, code: 2 };
  }
  if (!memory.flush(result.state)) return { text: 'the state file could not be written\n', code: 2 };
  return { text: `forgot ${name}\n`, code: 0 };
}
