/** Remembered instances as candidates. */
import { readOwners } from '../../discovery/instances/predict-instance.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import { containDefect } from '../../runtime/defect.js';
import { rememberedCandidates } from '../../state/memory-questions.js';
import type { State } from '../../state/memory-state.js';
import { type Origin, type OriginContext, usersByOwners } from './candidate-origin.js';

export function fromMemory(state: State, bootId: string, { rootfs, fileCache }: OriginContext): Origin[] {
  return rememberedCandidates(state, bootId).map((one) => {
    if (one.users !== undefined || one.root !== '/') return one;
    // Release 0.1.0 remembered no owner: the owners of its files may run it.
    const usersOf = (files: FileView) => usersByOwners(readOwners(files, one.mainFiles, one.pathData), one.pathData);
    const users = containDefect(
      () => fileCache.read(`owners ${one.remembered!.id}`, [one.mainFiles, one.pathData], rootfs, usersOf),
      () => [],
    );
    return { ...one, users };
  });
}
