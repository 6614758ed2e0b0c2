/**
 * What a prediction may cost, counted in work and not in time: the same on a slow machine as on a fast one. One counter is
 * handed down with the files that everything is read from. A unit is about a microsecond of a machine of today.
 */
import type { YamlNode } from '../yaml/yaml.js';
import type { FileView } from './file-view.js';

/** Units for one of each. */
export const costs = {
  /** A file, a link or a folder looked at, read or listed. */
  file: 20,
  /** A name in a folder that is listed. */
  entry: 2,
  /** A node of a YAML document that is parsed, and one that a tree is made of. */
  parsed: 3,
  node: 2,
  /** A step of a template. */
  step: 1,
} as const;

export interface Work {
  /** Throws `WorkSpent` beyond what there is. */
  spend(units: number): void;
  spent(): number;
}

/** Thrown to leave a prediction that costs too much; caught where it was begun. */
export class WorkSpent extends Error {}

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

/** Aliases count as often as they are followed; beyond `most` it counts no further. */
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

/** The same files; what they are asked is counted. */
export function withWork(files: FileView, work: Work): FileView {
  const once = <T>(ask: (path: string) => T) => {
    return (path: string): T => {
      work.spend(costs.file);
      return ask(path);
    };
  };
  return {
    ...files,
    work,
    stat: once((path) => files.stat(path)),
    resolve: once((path) => files.resolve(path)),
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
