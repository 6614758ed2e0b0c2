/** `forget NAME`: drops what is remembered of an instance that no longer ought to run, or learned listeners of one that does. */

import type { Logger } from '../runtime/log.js';
import { openStateFile } from '../scan/host-scan.js';
import { forget as forgetIn } from '../state/memory-forget.js';
import type { Flags } from './flags.js';
import { openHost } from './open-host.js';
import type { Printed } from './print-once.js';

/** 0, or 2 when there is none of that name. A server at work notices the changed file. */
export async function forget(flags: Flags, name: string, log: Logger): Promise<Printed> {
  // Whether it runs or ought to is asked of the host, so that a living instance keeps its history.
  const look = await openHost({ flags, log, isSingleScan: true, remember: false });
  const { snapshot } = await look.reporter.get();
  const instance = snapshot.instances.find((one) => one.name === name);
  const wanted =
    instance !== undefined &&
    (instance.process !== undefined || instance.origins.some((origin) => origin !== 'remembered'));
  const { memory, state } = openStateFile(flags['state.file'], (level, message) => log[level](message));
  const port = flags.port === undefined ? {} : { port: flags.port };
  const result = forgetIn(state, name, { ...port, keepInstance: wanted });
  if (!result.forgot) {
    const why = wanted
      ? `${name} runs or ought to run, and nothing of that kind was learned of it`
      : `no instance named ${name} is remembered`;
    return { text: `${why}\n`, code: 2 };
  }
  if (!memory.flush(result.state)) return { text: 'the state file could not be written\n', code: 2 };
  return { text: `forgot ${name}\n`, code: 0 };
}
