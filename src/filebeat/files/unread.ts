/** What the checks of a start cannot tell, as gaps. */
import type { Gap, Position, Reading } from '../../model/model.js';
import type { FileView } from './file-view.js';

/** The same files. `note` is called for every failed reading but that of a file which does not exist: that is an answer. */
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

/** Something that the files do not tell about what stands there. */
export function unclearAt({ file, line }: Position, detail: string): Gap {
  return { reason: 'unclear', subject: line === undefined ? file : `${file}:${line}`, detail };
}
