/** Gaps for what the checks of a start cannot decide. */
import type { Gap, Position, Reading } from '../../model/model.js';
import type { FileView } from './file-view.js';

/** The same files. `note` gets every failed reading, except of files that do not exist. */
export function notingUnread(files: FileView, note: (gap: Gap) => void): FileView {
  const noted = <T>(answer: Reading<T>): Reading<T> => {
    if (!answer.ok && answer.gap.reason !== 'missing') note(answer.gap);
    return answer;
  };
  return {
    ...files,
    stat: (path) => noted(files.stat(path)),
    read: (path, limit) => noted(files.read(path, limit)),
    head: (path, count) => noted(files.head(path, count)),
    list: (path, limit) => noted(files.list(path, limit)),
    resolve: (path) => noted(files.resolve(path)),
  };
}

/** A gap: the files leave open what `detail` says about the setting at this position. */
export function unclearAt({ file, line }: Position, detail: string): Gap {
  return { reason: 'unclear', subject: line === undefined ? file : `${file}:${line}`, detail };
}
