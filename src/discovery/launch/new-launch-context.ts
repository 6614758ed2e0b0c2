/** The state in which following a command line begins. */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { follow } from './follow.js';
import type { LaunchContext } from './launch-context.js';

export function newLaunchContext(files: FileView, processNames: readonly string[]): LaunchContext {
  return {
    files,
    processNames,
    starts: [],
    unclear: [],
    failures: [],
    requestedUnits: new Set(),
    written: new Set(),
    read: new Set(),
    steps: { left: limits.scriptCommands },
    follow,
  };
}
