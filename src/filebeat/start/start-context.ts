/** What the checks of a start are given. */
import type { Prediction } from '../../model/model.js';
import { FILE_IN_THE_WAY, type FileView } from '../files/file-view.js';
import type { InputContext } from '../inputs/input-context.js';

export interface StartContext extends InputContext {
  /** Effective `path.*`, absolute. */
  paths: Prediction['paths'];
}

/** Whether a folder cannot be there because a file is in its place, or in the place of a folder above it. */
export function blocked(files: FileView, path: string): boolean {
  // A name below it: the folder itself changes with everything that is written there.
  const inside = files.stat(`${path}/.blocked`);
  return !inside.ok && inside.gap.reason === 'missing' && inside.gap.detail === FILE_IN_THE_WAY;
}
