/**
 * The budget of a prediction, counted in units of work instead of time, so that slow machines get the same result. The
 * counter is part of the view of the files. A unit is about a microsecond on a current machine.
 */
import type { YamlNode } from '../yaml/yaml.js';
import type { FileView } from './file-view.js';

/** Units of work for each. */
export const costs = {
  /** One access to a file, a link or a directory. */
  file: 20,
  /** A name in a listed directory. */
  entry: 2,
  /** Parsing one node of a YAML document. */
  parsed: 3,
  /** Building one node of a tree. */
  node: 2,
  /** A step of a template. */
  step: 1,
} as const;

/** A counter of work with a limit. */
export interface Work {
  /** Throws `WorkSpent` if the budget is exceeded. */
  spend(units: number): void;
  spent(): number;
}

/** Thrown to abandon a prediction that costs too much; caught where it was started. */
export class WorkSpent extends Error {}

/** `most`: units of work. */
export function createWork(most: number): Work {
  let spent = 0;
  return {
    spend(units) {
      spent += units;
      if (spent > most) throw new WorkSpent('too much work');
    },
    spent: () => spent,
  };
}

/** Counts aliases as often as they are followed. Stops at `most`. */
export function countNodes(root: YamlNode | undefined, most = 10_000_000): number {
  const open = root === undefined ? [] : [root];
  let count = 0;
  for (let node = open.pop(); node !== undefined && count < most; node = open.pop()) {
    count++;
    if (node.kind === 'list') for (const item of node.items) open.push(item);
    else if (node.kind === 'map') for (const { value } of node.entries) open.push(value);
  }
  return count;
}

/** The same files; every access is charged to `work`. */
export function withWork(files: FileView, work: Work): FileView {
  const charged = <T>(read: (path: string) => T) => {
    return (path: string): T => {
      work.spend(costs.file);
      return read(path);
    };
  };
  return {
    ...files,
    work,
    stat: charged((path) => files.stat(path)),
    resolve: charged((path) => files.resolve(path)),
    read(path, limit) {
      work.spend(costs.file);
      return files.read(path, limit);
    },
    head(path, count) {
      work.spend(costs.file);
      return files.head(path, count);
    },
    list(path, limit) {
      work.spend(costs.file);
      const names = files.list(path, limit);
      if (names.ok) work.spend(costs.entry * names.value.length);
      return names;
    },
  };
}
