/** The state in which following a command line begins. */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { follow } from './follow.js';
import type { LaunchContext } from './launch-context.js';

/** `parsed`: shared by contexts of one search. */
export function newLaunchContext(
  files: FileView,
  processNames: readonly string[],
  parsed: LaunchContext['parsed'] = new Map(),
): LaunchContext {
  return {
    files,
    processNames,
    starts: [],
    unclear: [],
    failures: [],
    requestedUnits: new Set(),
    written: new Set(),
    read: new Set(),
    parsed,
    steps: { left: limits.scriptCommands },
    follow,
  };
}
