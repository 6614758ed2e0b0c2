/**
 * Resolves anchors, aliases, merge keys and tags of a YAML document as gopkg.in/yaml.v2 does (decode.go).
 */
import { YamlRefusal } from './yaml-cursor.js';
import { resolvePlain, resolveTagged, type ScalarType, type ScalarValue } from './yaml-scalar.js';

/** Lines are 1-based. Of duplicate keys the last wins; merge keys (`<<`) are applied, aliases replaced. */
export type YamlNode =
  | {
      kind: 'map';
      line: number;
      entries: { key: string; line: number; value: YamlNode }[];
      /** Keys that the map itself has twice, without merged ones. */
      duplicates?: Duplicate[];
    }
  | { kind: 'list'; line: number; items: YamlNode[] }
  | { kind: 'scalar'; line: number; type: ScalarType; value: ScalarValue };

/** Filebeat uses the last of equal keys. */
export interface Duplicate {
  key: string;
  /** Of the later one. */
  line: number;
  /** Of the earlier one. */
  value: YamlNode;
}

/** Levels of nesting that this program follows; yaml.v2 follows 10,000. */
export const maximalDepth = 1000;

/** A node before aliases and merge keys are followed. */
export type RawNode = { line: number } & (
  | { kind: 'map'; pairs: { key: RawNode; value: RawNode }[] }
  | { kind: 'list'; items: RawNode[] }
  | { kind: 'scalar'; text: string; plain: boolean; tag: string | undefined }
  | { kind: 'alias'; target: RawNode }
);

type Entries = Map<string, { key: string; line: number; value: YamlNode }>;

/** Follows aliases and merge keys. `anyKeys`: keys of any scalar type, not only strings. Throws YamlRefusal. */
export function resolveNode(root: RawNode, anyKeys = false): YamlNode {
  return new Resolver(anyKeys).resolve(root);
}

/** Counts nodes as yaml.v2 does (decode.go), so that both stop at the same point of an alias bomb. */
class Resolver {
  private readonly following = new Set<RawNode>();
  private decoded = 0;
  private aliased = 0;
  private aliasDepth = 0;
  private depth = 0;

  constructor(private readonly anyKeys: boolean) {}

  resolve(node: RawNode): YamlNode {
    this.count(node);
    this.enter(node.line);
    const result = this.resolveKind(node);
    this.depth--;
    return result;
  }

  private resolveKind(node: RawNode): YamlNode {
    const { line } = node;
    if (node.kind === 'list') return { kind: 'list', line, items: node.items.map(this.resolve, this) };
    if (node.kind === 'alias') return this.follow(node, () => this.resolve(node.target));
    if (node.kind === 'scalar') return { kind: 'scalar', line, ...resolveScalar(node) };
    const entries: Entries = new Map();
    const duplicates: Duplicate[] = [];
    this.fill(node, entries, duplicates);
    return { kind: 'map', line, entries: [...entries.values()], ...(duplicates.length > 0 && { duplicates }) };
  }

  /** Later pairs win over earlier ones, merged ones included, so their order matters. */
  private fill(node: RawNode & { kind: 'map' }, entries: Entries, duplicates?: Duplicate[]): void {
    // A key that a merge brings in is not a duplicate.
    const ownKeys = new Map<string, YamlNode>();
    for (const { key, value } of node.pairs) {
      if (isMergeKey(key)) {
        // Within a list the earlier maps win.
        for (const source of value.kind === 'list' ? value.items.toReversed() : [value]) this.merge(source, entries);
        continue;
      }
      const name = this.resolve(key);
      const content = this.resolve(value);
      if (name.kind !== 'scalar' || (name.type !== 'string' && !this.anyKeys))
        throw new YamlRefusal('yaml-key', key.line);
      const text = String(name.value);
      const earlier = ownKeys.get(text);
      if (earlier !== undefined) duplicates?.push({ key: text, line: key.line, value: earlier });
      ownKeys.set(text, content);
      entries.set(text, { key: text, line: key.line, value: content });
    }
  }

  private merge(source: RawNode, entries: Entries): void {
    this.count(source);
    if (source.kind === 'map') this.fill(source, entries);
    else if (source.kind === 'alias' && source.target.kind === 'map') {
      const { target } = source;
      this.follow(source, () => {
        this.count(target);
        this.enter(source.line);
        this.fill(target, entries);
        this.depth--;
      });
    } else throw new YamlRefusal('yaml-merge', source.line);
  }

  /** An alias inside the node that it stands for is an error. */
  private follow<T>(alias: RawNode, action: () => T): T {
    if (this.following.has(alias)) throw new YamlRefusal('yaml-alias', alias.line);
    this.following.add(alias);
    this.aliasDepth++;
    const result = action();
    this.aliasDepth--;
    this.following.delete(alias);
    return result;
  }

  private count(node: RawNode): void {
    this.decoded++;
    if (this.aliasDepth > 0) this.aliased++;
    if (this.aliased > 100 && this.decoded > 1000 && this.aliased / this.decoded > allowedAliasRatio(this.decoded))
      throw new YamlRefusal('yaml-alias', node.line);
  }

  private enter(line: number): void {
    if (++this.depth > 2 * maximalDepth) throw new YamlRefusal('yaml-limit', line);
  }
}

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
