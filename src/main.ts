#!/usr/bin/env node
import './runtime/no-debugger.js';
import { refusedCode } from './cli/flags.js';
import { type Options, parseOptions } from './cli/options.js';
/** The entry: argv → command → run. Only this file handles argv, environment, signals and exit codes. */
import type { Printed, Terminal } from './cli/print-once.js';
import { StartError } from './cli/start-error.js';
import { version } from './cli/version.js';
import { wallMs } from './runtime/clock.js';
import { defectText } from './runtime/defect.js';
import { createLogger } from './runtime/log.js';

/** Time for requests in flight to finish after SIGTERM. Seconds. */
const drainSeconds = 5;

function terminal(): Terminal {
  const { isTTY, columns } = process.stdout;
  const color = isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
  return { color, ...(isTTY && columns ? { columns } : {}) };
}

const ignore = () => undefined;

/** Exit code of an internal error. */
let failedCode = 1;

/** `process.exit` would wait for a thread that hangs in a read; a signal does not. systemd counts SIGTERM as a clean exit. */
function dieNow(): void {
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}

async function run(options: Options): Promise<void> {
  const { flags } = options;
  const log = createLogger({
    level: flags['log.level'],
    format: flags['log.format'],
    write: (line) => void process.stderr.write(`${line}\n`),
    now: wallMs,
  });
  const print = ({ text, code }: Printed) => {
    process.exitCode = code;
    process.stdout.write(text);
  };
  switch (options.command) {
    case 'serve': {
      const { serve } = await import('./cli/serve.js');
      const { activatedSockets } = await import('./web/listen-address.js');
      const activated = activatedSockets(process.env, process.pid);
      if (activated.length > 0 && options.given.has('web.listen-address'))
        log.warn('--web.listen-address is ignored: systemd opened the sockets that its socket unit names');
      let ending = false;
      const endWith = (code: 0 | 1) => {
        ending = true;
        // A failed start is reported where `starting` is awaited.
        starting.then(async (running) => ((await running.stop(drainSeconds)) ? process.exit(code) : dieNow()), ignore);
      };
      const end = (signal: NodeJS.Signals) => {
        if (ending) return dieNow();
        log.info('stopping', () => ({ signal }));
        endWith(0);
      };
      const exhausted = () => {
        if (ending) return;
        log.error('the heap is almost full; exiting with 1 so that the service manager restarts the exporter');
        endWith(1);
      };
      const starting = serve(flags, log, activated, exhausted);
      // A signal may arrive before the server is ready.
      process.on('SIGTERM', end).on('SIGINT', end);
      process.on('SIGHUP', () => starting.then((running) => running.reload(), ignore));
      await starting;
      return;
    }
    case 'check': {
      const { check } = await import('./cli/print-once.js');
      return print(await check(flags, log, terminal()));
    }
    case 'metrics':
      return print(await (await import('./cli/print-once.js')).metrics(flags, log));
    case 'forget':
      return print(await (await import('./cli/forget-command.js')).forget(flags, options.name, log));
    case 'explain': {
      const { explain } = await import('./cli/explain-command.js');
      return print(await explain(flags, options.argv, log, terminal()));
    }
  }
}

// Whatever NODE_OPTIONS says: a diagnostic report would contain environment, command line and addresses.
if (process.report !== undefined)
  Object.assign(process.report, { reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false });

// A closed pipe (`… | head`) is not an error, and neither is a log that cannot be written.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? process.exitCode : failedCode),
);
process.stderr.on('error', ignore);

function fail(message: string, code: number): void {
  process.stderr.write(`filebeat-port-exporter: ${message}\n`);
  process.exitCode = code;
}

const parsed = parseOptions(process.argv.slice(2), process.env);
if (parsed.kind === 'help') process.stdout.write(parsed.text);
else if (parsed.kind === 'version') process.stdout.write(`filebeat-port-exporter ${version}\n`);
else if (parsed.kind === 'refused') fail(parsed.message, refusedCode(parsed.command));
else {
  const { command } = parsed.options;
  // To a monitoring system, 1 would mean "warning".
  if (command === 'check') failedCode = 3;
  await run(parsed.options).catch((error: unknown) => {
    if (error instanceof StartError) return fail(error.message, error.mayPass ? 1 : refusedCode(command));
    if (command !== 'check') throw error;
    fail(`internal error (${defectText(error)})`, failedCode);
  });
}
