/**
 * Imported first, for its effect. On SIGUSR1 Node.js opens its debugger, and whoever reaches that port of the machine can do
 * what this program may: read every file. SIGUSR2 ends the process, or writes what options ask for. Both signals come by
 * mistake, from the rotation of logs or a broad kill, and mean nothing here.
 */
const nothing = () => undefined;
// A report or heap snapshot has the environment, or all that was read, in a file: a signal makes none.
if (process.report !== undefined) process.report.reportOnSignal = false;
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.removeAllListeners(signal).on(signal, nothing);

/** Words of the command line are the wish of who starts the program; the environment may be meant for something else. */
const asked = process.execArgv.some((word) => /^--inspect(-brk|-wait|-port)?(=|$)/.test(word));
if (process.features.inspector && !asked) {
  const { close, url } = await import('node:inspector');
  // Opened through NODE_OPTIONS, or by a signal that came before this line.
  const shut = () => {
    if (url() !== undefined) close();
  };
  shut();
  // Since Node.js 22 such a signal is acted upon once more when the event loop first runs, after this module has ended.
  setImmediate(shut);
  for (const milliseconds of [20, 100, 500, 2000]) setTimeout(shut, milliseconds).unref();
}

export {};
