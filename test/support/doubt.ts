/** Small changes to a configuration with a known effect: none, or a certain failure. */
import { parseYaml, type YamlNode } from '../../src/filebeat/yaml/yaml.js';
import type { Chance } from './random.js';

/** A main file and the arguments after the program's name. */
export interface Subject {
  /** Absolute. */
  path: string;
  text: string;
  args: string[];
}

export interface Changed {
  text: string;
  args: string[];
  /** A second file that the change adds. */
  second?: { path: string; text: string };
}

export interface Doubt {
  name: string;
  effect: 'same' | 'exits';
  /** Undefined if it cannot be applied. */
  change(subject: Subject, chance: Chance): Changed | undefined;
}

interface Chunk {
  key: string;
  value: YamlNode;
  /** Whole lines. */
  text: string;
}

/** The top-level settings of a simple file, each with its lines; undefined if its lines cannot be reordered. */
function chunksOf(text: string): { head: string; chunks: Chunk[] } | undefined {
  if (/\r|^(?:---|\.\.\.|%)|[&*]\w|<<|\uFEFF/m.test(text) || !text.endsWith('\n')) return undefined;
  const parsed = parseYaml(Buffer.from(text));
  if (!parsed.ok || parsed.root?.kind !== 'map' || parsed.root.duplicates) return undefined;
  const lines = text.split(/(?<=\n)/);
  const entries = parsed.root.entries;
  if (entries.length === 0 || entries.some(({ line }) => !/^["'\w]/.test(lines[line - 1] ?? ''))) return undefined;
  const chunks = entries.map(({ key, line, value }, index) => ({
    key,
    value,
    text: lines.slice(line - 1, (entries[index + 1]?.line ?? lines.length + 1) - 1).join(''),
  }));
  return { head: lines.slice(0, entries[0]!.line - 1).join(''), chunks };
}

const firstName = (key: string): string => key.split('.')[0]!;

/** Plain scalars at the end of a line, with their offsets in the text. */
function plainTexts(text: string): { from: number; to: number; value: string }[] {
  const parsed = parseYaml(Buffer.from(text));
  if (!parsed.ok || !parsed.root) return [];
  const starts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const found: { from: number; to: number; value: string }[] = [];
  const visit = (node: YamlNode): void => {
    if (node.kind === 'map') for (const { value } of node.entries) visit(value);
    else if (node.kind === 'list') for (const item of node.items) visit(item);
    else if (node.type === 'string' && /^[A-Za-z][\w./:-]*\w$/.test(String(node.value))) {
      const value = String(node.value);
      const start = starts[node.line - 1] ?? 0;
      const line = text.slice(start, starts[node.line] ?? text.length).trimEnd();
      if (new RegExp(`^\\s*(?:- )?[\\w.]+: ${value.replace(/[.\\/]/g, '\\$&')}$`).test(line))
        found.push({ from: start + line.length - value.length, to: start + line.length, value });
    }
  };
  visit(parsed.root);
  return found;
}

function inPlace(subject: Subject, chance: Chance, made: (value: string) => string): Changed | undefined {
  const texts = plainTexts(subject.text);
  if (texts.length === 0) return undefined;
  const { from, to, value } = chance.pick(texts);
  return { ...subject, text: subject.text.slice(0, from) + made(value) + subject.text.slice(to) };
}

/** Whether only the main file is named, so that an added file comes directly after it. */
const isAlone = ({ args }: Subject): boolean => !args.some((arg) => /^--?(?:c|E|M)/.test(arg));

const isMap = (text: string): boolean => {
  const parsed = parseYaml(Buffer.from(text));
  return parsed.ok && parsed.root?.kind === 'map';
};

export const doubts: readonly Doubt[] = [
  {
    name: 'a comment',
    effect: 'same',
    change: (subject, chance) => {
      const split = chunksOf(subject.text);
      if (!split) return undefined;
      const at = chance.below(split.chunks.length);
      const texts = split.chunks.map(({ text }, index) => (index === at ? `# ${'${'}not: read\n${text}` : text));
      return { ...subject, text: split.head + texts.join('') };
    },
  },
  {
    name: 'another order',
    effect: 'same',
    change: (subject, chance) => {
      const split = chunksOf(subject.text);
      if (!split || split.chunks.length < 2) return undefined;
      const at = 1 + chance.below(split.chunks.length - 1);
      const turned = [...split.chunks.slice(at), ...split.chunks.slice(0, at)];
      return { ...subject, text: split.head + turned.map(({ text }) => text).join('') };
    },
  },
  {
    name: 'an unused key',
    effect: 'same',
    change: (subject) =>
      subject.text.endsWith('\n') && chunksOf(subject.text)
        ? { ...subject, text: `${subject.text}nobody_reads_this: {a: [1, "${'${'}NOT_DEFINED_ANYWHERE}"]}\n` }
        : undefined,
  },
  {
    name: 'a quoted scalar',
    effect: 'same',
    change: (subject, chance) => inPlace(subject, chance, (value) => `"${value}"`),
  },
  {
    name: 'an anchor',
    effect: 'same',
    change: (subject, chance) => inPlace(subject, chance, (value) => `&doubt ${value}`),
  },
  {
    name: 'two -c files',
    effect: 'same',
    change: (subject) => {
      const split = chunksOf(subject.text);
      if (!split || split.chunks.length < 2 || !isAlone(subject)) return undefined;
      const last = split.chunks.at(-1)!;
      const rest = split.chunks.slice(0, -1);
      if (rest.some(({ key }) => firstName(key) === firstName(last.key))) return undefined;
      const second = { path: subject.path.replace(/[^/]*$/, 'doubt-second.yml'), text: last.text };
      const text = split.head + rest.map((chunk) => chunk.text).join('');
      return { text, args: ['-c', subject.path, '-c', second.path, ...subject.args], second };
    },
  },
  {
    name: '-E instead of the file',
    effect: 'same',
    change: (subject, chance) => {
      const split = chunksOf(subject.text);
      if (!split || !isAlone(subject)) return undefined;
      const simple = split.chunks.filter(
        ({ key, value, text }) =>
          value.kind === 'scalar' &&
          /^[\w.]+: (?:[1-9]\d{0,8}|true|false|[a-z][a-z0-9/-]*[a-z])\n$/.test(text) &&
          !/: (?:on|off|yes|no|null|n|y|t|f)\n/.test(text) &&
          !/^(?:path|filebeat|keystore)/.test(key) &&
          split.chunks.filter((other) => firstName(other.key) === firstName(key)).length === 1,
      );
      if (simple.length === 0 || split.chunks.length < 2) return undefined;
      const taken = chance.pick(simple);
      const [key, value] = taken.text.trimEnd().split(': ') as [string, string];
      const text =
        split.head +
        split.chunks
          .filter((chunk) => chunk !== taken)
          .map((chunk) => chunk.text)
          .join('');
      return { text, args: [...subject.args, '-E', `${key}=${value}`] };
    },
  },
  {
    name: 'a processor that does not exist',
    effect: 'exits',
    change: (subject) =>
      chunksOf(subject.text) && !/processors/.test(subject.text + subject.args.join(' '))
        ? { ...subject, text: `${subject.text}processors: [{no_such_processor: {}}]\n` }
        : undefined,
  },
  {
    name: 'a bracket that is not closed',
    effect: 'exits',
    change: (subject) =>
      isMap(subject.text) && chunksOf(subject.text) ? { ...subject, text: `${subject.text}broken: [\n` } : undefined,
  },
];
