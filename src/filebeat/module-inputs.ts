/** Modules: static entries, `--modules` and files of modules.d → inputs, and what a bad fileset costs. */
import type { Prediction } from '../model.js';
import type { DynamicSection, External, ExternalFile } from './external.js';
import type { InputContext } from './inputs.js';
import type { Reading } from './load.js';
import type { StaticInput } from './section.js';
import type { Tree } from './tree.js';

export interface ModuleSource {
  paths: Prediction['paths'];
  /** `-M`, as a tree. */
  overrides: Tree;
  main: Tree;
  context: InputContext;
  reading: Reading;
}

export function staticModules(
  _entries: Tree[],
  _names: string[],
  _source: ModuleSource,
): { fatal?: External['fatal']; inputs: StaticInput[]; fallback: boolean } {
  return { inputs: [], fallback: false };
}

export function externalModules(
  _files: ExternalFile[],
  _section: DynamicSection,
  _source: ModuleSource,
): External & { fallback?: true } {
  return { results: [], listeners: [], faults: [] };
}
