/** The state in which following a command line begins. */
import type { FileView } from '../../filebeat/files/file-view.js';
import { limits } from '../../model/limits.js';
import { follow } from './follow.js';
import type { World } from './launch-world.js';

export function newWorld(files: FileView, processNames: readonly string[]): World {
  return {
    files,
    processNames,
    starts: [],
    unclear: [],
    failures: [],
    asked: new Set(),
    written: new Set(),
    read: new Set(),
    steps: { left: limits.scriptCommands },
    follow,
  };
}
