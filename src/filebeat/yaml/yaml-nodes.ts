/**
 * From what a YAML document says (anchors, aliases, merge keys, tags) to what gopkg.in/yaml.v2 makes of it (decode.go).
 */
import { YamlRefusal } from './yaml-cursor.js';
import { resolvePlain, resolveTagged, type ScalarType, type ScalarValue } from './yaml-scalar.js';

/** Lines are 1-based. Duplicate keys are resolved (the last wins), merge keys (`<<`) applied, aliases replaced. */
export type YamlNode =
  | {
      kind: 'map';
      line: number;
      entries: { key: string; line: number; value: YamlNode }[];
      /** Keys that the map itself has twice: the line of the later one, the value of the earlier one. Filebeat takes the last. */
      duplicates?: Duplicate[];
    }
  | { kind: 'list'; line: number; items: YamlNode[] }
  | { kind: 'scalar'; line: number; type: ScalarType; value: ScalarValue };

export interface Duplicate {
  key: string;
  line: number;
  value: YamlNode;
}

/** Nesting that is followed; yaml.v2 itself goes on to 10,000. */
export const maximalDepth = 1000;

/** What the document says before aliases and merge keys are followed. */
export type RawNode = { line: number } & (
  | { kind: 'map'; pairs: { key: RawNode; value: RawNode }[] }
  | { kind: 'list'; items: RawNode[] }
  | { kind: 'scalar'; text: string; plain: boolean; tag: string | undefined }
  | { kind: 'alias'; target: RawNode }
);

/** Follows aliases and merge keys. Counts as yaml.v2 does (decode.go), so that an alias bomb ends where it ends there. */
export function resolveNode(root: RawNode, anyKeys = false): YamlNode {
  const following = new Set<RawNode>();
  let decoded = 0;
  let aliased = 0;
  let aliasDepth = 0;
  let depth = 0;

  const count = (node: RawNode) => {
    decoded++;
    if (aliasDepth > 0) aliased++;
    if (aliased > 100 && decoded > 1000 && aliased / decoded > allowedAliasRatio(decoded))
      throw new YamlRefusal('yaml-alias', node.line);
  };
  const resolve = (node: RawNode): YamlNode => {
    count(node);
    if (++depth > 2 * maximalDepth) throw new YamlRefusal('yaml-limit', node.line);
    const result = resolveKind(node);
    depth--;
    return result;
  };
  const resolveKind = (node: RawNode): YamlNode => {
    const { line } = node;
    if (node.kind === 'list') return { kind: 'list', line, items: node.items.map(resolve) };
    if (node.kind === 'alias') return follow(node, () => resolve(node.target));
    if (node.kind === 'scalar') return { kind: 'scalar', line, ...resolveScalar(node) };
    const entries: Entries = new Map();
    const duplicates: Duplicate[] = [];
    fill(node, entries, duplicates);
    return { kind: 'map', line, entries: [...entries.values()], ...(duplicates.length > 0 && { duplicates }) };
  };
  const follow = <T>(alias: RawNode, action: () => T): T => {
    if (following.has(alias)) throw new YamlRefusal('yaml-alias', alias.line);
    following.add(alias);
    aliasDepth++;
    const result = action();
    aliasDepth--;
    following.delete(alias);
    return result;
  };
  /** Later pairs win over earlier ones, merged ones included: position matters. */
  const fill = (node: RawNode & { kind: 'map' }, entries: Entries, duplicates?: Duplicate[]) => {
    // What a merge key brings is no repetition.
    const own = new Map<string, YamlNode>();
    for (const { key, value } of node.pairs) {
      if (isMergeKey(key)) {
        merge(value, entries);
        continue;
      }
      const name = resolve(key);
      const content = resolve(value);
      if (name.kind !== 'scalar' || (name.type !== 'string' && !anyKeys)) throw new YamlRefusal('yaml-key', key.line);
      const text = String(name.value);
      const earlier = own.get(text);
      if (earlier !== undefined) duplicates?.push({ key: text, line: key.line, value: earlier });
      own.set(text, content);
      entries.set(text, { key: text, line: key.line, value: content });
    }
  };
  const merge = (source: RawNode, entries: Entries) => {
    // Within a list the earlier maps win.
    for (const item of source.kind === 'list' ? source.items.toReversed() : [source]) mergeOne(item, entries);
  };
  const mergeOne = (source: RawNode, entries: Entries) => {
    count(source);
    if (source.kind === 'map') fill(source, entries);
    else if (source.kind === 'alias' && source.target.kind === 'map') {
      const { target } = source;
      follow(source, () => {
        count(target);
        if (++depth > 2 * maximalDepth) throw new YamlRefusal('yaml-limit', source.line);
        fill(target, entries);
        depth--;
      });
    } else throw new YamlRefusal('yaml-merge', source.line);
  };
  return resolve(root);
}

type Entries = Map<string, { key: string; line: number; value: YamlNode }>;

/** Share of nodes that may come from aliases: 99 % of up to 400,000 nodes, 10 % from 4,000,000 on. */
function allowedAliasRatio(decoded: number): number {
  const [low, high] = [400_000, 4_000_000];
  return 0.99 - 0.89 * Math.min(Math.max((decoded - low) / (high - low), 0), 1);
}

function isMergeKey(key: RawNode): boolean {
  if (key.kind !== 'scalar' || key.text !== '<<') return false;
  return key.tag === undefined ? key.plain : key.tag === '!' || key.tag === 'tag:yaml.org,2002:merge';
}

function resolveScalar(node: RawNode & { kind: 'scalar' }): { type: ScalarType; value: ScalarValue } {
  if (node.tag !== undefined) return resolveTagged(node.tag, node.text, node.line);
  return node.plain ? resolvePlain(node.text) : { type: 'string', value: node.text };
}
