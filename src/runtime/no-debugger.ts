/**
 * Imported first, for its effect: SIGUSR1 and SIGUSR2 are ignored. On SIGUSR1 Node.js opens its debugger, through which any
 * local user could read all files that this program may read; SIGUSR2 ends the process or writes a report. Both signals may
 * come by mistake, from a log rotation or a broad kill.
 */
const nothing = () => undefined;
// A report or heap snapshot contains the environment and file contents: no signal may write one.
if (process.report !== undefined) process.report.reportOnSignal = false;
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.removeAllListeners(signal).on(signal, nothing);

/** Only a flag on the command line asks for the debugger; NODE_OPTIONS may be meant for another program. */
const isRequested = process.execArgv.some((word) => /^--inspect(-brk|-wait|-port)?(=|$)/.test(word));
if (process.features.inspector && !isRequested) {
  const { close, url } = await import('node:inspector');
  // It may be open because of NODE_OPTIONS, or of a signal that came before this line.
  const shut = () => {
    if (url() !== undefined) close();
  };
  shut();
  // Since Node.js 22 such a signal takes effect once more when the event loop starts, after this module has run.
  setImmediate(shut);
  for (const milliseconds of [20, 100, 500, 2000]) setTimeout(shut, milliseconds).unref();
}

export {};
