/** An empty scope of variables, with the rules of the newest release. */
import { plainRules } from '../../src/filebeat/tree/tree.js';
import type { Scope } from '../../src/filebeat/tree/variables.js';

export const noScope: Scope = {
  env: {},
  keystore: false,
  envObjects: false,
  envTrims: true,
  envDots: true,
  tree: plainRules,
};
