/** What the checks of a start are given. */
import { FILE_IN_THE_WAY, type FileView } from '../files/file-view.js';
import type { InputContext } from '../inputs/input-context.js';

export interface StartContext extends InputContext {
  /** `files`, but what cannot be read of them is not reported as a gap. */
  silentFiles: FileView;
}

/** Whether a folder cannot be there because a file is in its place, or in the place of a folder above it. */
export function blocked({ files, silentFiles }: StartContext, path: string): boolean {
  // A name below it: the folder itself changes with everything that is written there.
  const inside = silentFiles.stat(`${path}/.blocked`);
  // A folder that may not be searched is a folder all the same; where not even that can be seen, there is a gap.
  if (!inside.ok && inside.gap.reason !== 'missing') files.stat(path);
  return !inside.ok && inside.gap.reason === 'missing' && inside.gap.detail === FILE_IN_THE_WAY;
}
