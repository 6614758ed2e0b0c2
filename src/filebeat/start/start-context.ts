/** The argument of the checks of a start. */
import { FILE_IN_THE_WAY, type FileView } from '../files/file-view.js';
import type { InputContext } from '../inputs/input-context.js';

export interface StartContext extends InputContext {
  /** `files` without gaps for what cannot be read. */
  silentFiles: FileView;
}

/** True if a folder cannot exist because a file has its name, or the name of a folder above it. */
export function blocked({ files, silentFiles }: StartContext, path: string): boolean {
  // Ask for a name inside it: the stat of the folder itself changes with every file written there.
  const inside = silentFiles.stat(`${path}/.blocked`);
  // A folder without search permission is still a folder. If its own stat fails, too, `files` reports a gap.
  if (!inside.ok && inside.gap.reason !== 'missing') files.stat(path);
  return !inside.ok && inside.gap.reason === 'missing' && inside.gap.detail === FILE_IN_THE_WAY;
}
