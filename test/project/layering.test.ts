/** Which folder may import which, checked by the import lines of src/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../../../src', import.meta.url));

interface Import {
  file: string;
  target: string;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function imports(): Import[] {
  return files.flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const found = [...text.matchAll(/(?:^import[^'"]*?|^export[^'"]*?from |\bimport\()\s*['"]([^'"]+)['"]/gm)].map(
      (m) => m[1]!,
    );
    return found.map((name) => ({
      file,
      target: name.startsWith('.') ? relative(src, join(src, file, '..', name)).replace(/\.js$/, '.ts') : name,
    }));
  });
}

/** The rooms, from the bottom up. A room may import itself and the rooms in `on`, which are all below it. */
interface Room {
  name: string;
  holds: string;
  on: string[];
}

const rooms: Room[] = [
  {
    name: 'runtime',
    holds: 'clocks, log, contained failures, whole files, control characters, unchanged objects, groups',
    on: [],
  },
  { name: 'model', holds: 'the vocabulary, and rules over it that need nothing else', on: ['runtime'] },
  { name: 'filebeat', holds: 'how Filebeat reads its files', on: ['model'] },
  { name: 'words', holds: 'sentences about mismatches', on: ['model', 'filebeat'] },
  { name: 'settings', holds: "the exporter's own settings file", on: ['model', 'filebeat'] },
  { name: 'proc', holds: 'reading /proc and the files of a root', on: ['model', 'runtime', 'filebeat'] },
  { name: 'sockets', holds: 'what the kernel has, and who holds it', on: ['model', 'runtime', 'proc'] },
  {
    name: 'discovery',
    holds: 'which Filebeats run or ought to run',
    on: ['model', 'runtime', 'filebeat', 'settings', 'proc'],
  },
  {
    name: 'self-report',
    holds: 'what a Filebeat says of itself: log and stats endpoint',
    on: ['model', 'runtime', 'filebeat', 'proc'],
  },
  {
    name: 'state',
    holds: 'what is kept from scan to scan',
    on: ['model', 'runtime', 'filebeat', 'proc', 'self-report', 'discovery'],
  },
  {
    name: 'scan',
    holds: 'one look at everything',
    on: ['model', 'runtime', 'filebeat', 'settings', 'proc', 'sockets', 'discovery', 'self-report', 'state'],
  },
  { name: 'correlate', holds: 'the verdict on a snapshot', on: ['model', 'runtime', 'filebeat'] },
  { name: 'report', holds: 'the latest report, history, journal', on: ['model', 'runtime', 'correlate'] },
  { name: 'explain', holds: 'predictions explained', on: ['model', 'filebeat', 'words'] },
  { name: 'exporter', holds: 'the views', on: ['model', 'runtime', 'words', 'correlate', 'report', 'explain'] },
  { name: 'web', holds: 'a web server for any application', on: ['runtime', 'filebeat'] },
  {
    name: 'cli',
    holds: 'flags and commands',
    on: ['model', 'runtime', 'filebeat', 'words', 'settings', 'proc', 'sockets', 'discovery', 'state', 'scan'].concat([
      'report',
      'explain',
      'exporter',
      'web',
    ]),
  },
];

/** The same within `filebeat/`. Files directly in that folder may import all of them. */
const filebeatRooms: Room[] = [
  { name: 'yaml', holds: "Filebeat's YAML", on: [] },
  { name: 'tree', holds: 'configuration trees, variables, values', on: ['yaml'] },
  { name: 'releases', holds: 'what differs between releases', on: [] },
  { name: 'files', holds: 'loading, globs', on: ['yaml', 'tree', 'releases'] },
  { name: 'net', holds: 'hosts, addresses, names', on: ['files'] },
  { name: 'template', holds: "Go's templates", on: ['tree'] },
  { name: 'processors', holds: 'processors and their conditions', on: ['tree', 'releases', 'files', 'net'] },
  { name: 'inputs', holds: 'one input', on: ['yaml', 'tree', 'releases', 'files', 'net', 'processors'] },
  { name: 'modules', holds: 'one module', on: ['yaml', 'tree', 'releases', 'files', 'template'] },
  {
    name: 'start',
    holds: 'settings outside the inputs',
    on: ['tree', 'releases', 'files', 'net', 'processors', 'inputs'],
  },
  {
    name: 'config',
    holds: 'main and included files',
    on: ['tree', 'releases', 'files', 'net', 'processors', 'inputs', 'modules', 'start'],
  },
];

/** Further rules: files whose path matches `who` must not import modules that match `not`. */
const forbidden: { why: string; who: RegExp; not: RegExp }[] = [
  {
    why: 'the words of the model come from one place',
    who: /^(?!model\/)/,
    not: /^model\/(gap|instance|listener|prediction|process|report|snapshot|start|verdict)\.ts$/,
  },
  {
    why: 'what thinks does no I/O',
    who: /^(model|correlate|words|explain)\//,
    // From node:net only functions that compare addresses.
    not: /^node:(?!net$)/,
  },
  {
    why: 'what thinks knows of Filebeat its addresses, faults and releases',
    who: /^(correlate|words|explain)\//,
    not: /^filebeat\/(?!net\/address|faults|fault-remedies|releases\/)/,
  },
  { why: 'only commands and views ask for explanations', who: /^(?!explain\/|cli\/|exporter\/)/, not: /^explain\// },
  { why: 'views look at nothing', who: /^exporter\/(?!server)/, not: /^node:fs/ },
  {
    why: 'how Filebeat reads its files is known without touching a file system',
    who: /^filebeat\//,
    not: /^node:(fs|child_process|net|dgram|os|dns)/,
  },
  {
    why: 'the web server knows of Filebeat its YAML and IP addresses',
    who: /^web\//,
    not: /^filebeat\/(?!yaml\/yaml|net\/ip)/,
  },
  { why: 'the settings know of Filebeat its YAML', who: /^settings\//, not: /^filebeat\/(?!yaml\/yaml)/ },
  { why: '/proc knows of Filebeat what a view of files is', who: /^proc\//, not: /^filebeat\/(?!files\/file-view)/ },
  {
    why: 'nothing is sent but what self-report asks, and nothing listens but the web server',
    who: /^(?!self-report\/endpoint\/endpoint-client|web\/|exporter\/(?:server|answers))/,
    not: /^node:(http|https|http2|tls|dgram)$/,
  },
  { why: 'nothing is forked', who: /./, not: /^node:(child_process|cluster)$/ },
];

const onlyImporter: Record<string, RegExp> = {
  'prom-client': /^exporter\/metrics\/metrics/,
  systeminformation: /^discovery\/host-details\.ts$/,
  'js-yaml': /^filebeat\/yaml\//,
  express: /^exporter\/routes\.ts$/,
  bcryptjs: /^web\/bcrypt-worker\.ts$/,
  hono: /^exporter\/page\//,
  compression: /^exporter\/routes\.ts$/,
};

describe('layers', () => {
  const all = imports();

  it('finds the import lines', () => {
    assert.ok(all.some((i) => i.file === 'report/reporter.ts' && i.target === 'correlate/correlate.ts'));
    assert.ok(all.length > 100, `only ${all.length} imports found`);
  });

  it('src/ contains main.ts and the rooms, and nothing imports main', () => {
    assert.deepEqual([...new Set(files.map((file) => file.split('/')[0]!))].sort(), [
      ...[...rooms.map(({ name }) => name), 'main.ts'].sort(),
    ]);
    assert.deepEqual(
      all.filter(({ target }) => target === 'main.ts'),
      [],
    );
  });

  it('docs/design.md names every folder of src/, and only files that exist', () => {
    const text = readFileSync(fileURLToPath(new URL('../../../docs/design.md', import.meta.url)), 'utf8');
    const tree = /```\nsrc\/\n([\s\S]*?)```/.exec(text)![1]!;
    const folders = [...tree.matchAll(/(?<=^| )([\w-]+)\/(?= |$)/gm)].map((m) => m[1]!);
    const there = new Set(files.map((file) => dirname(file)).filter((folder) => folder !== '.'));
    const names = [...there].flatMap((folder) => folder.split('/'));
    assert.deepEqual([...new Set(folders)].sort(), [...new Set(names)].sort());
    for (const [, file] of text.matchAll(/`([\w-]+(?:\/[\w-]+)+\.ts)`/g))
      assert.ok(files.includes(file!) || file!.startsWith('test/'), file);
  });

  it('a room imports only rooms below it', () => {
    for (const floors of [rooms, filebeatRooms])
      for (const [floor, { name, on }] of floors.entries())
        for (const other of on)
          assert.ok(
            floors.slice(0, floor).some((below) => below.name === other),
            `${name} on ${other}`,
          );
  });

  for (const { name, holds, on } of rooms) {
    it(`${name} (${holds}) imports ${on.length === 0 ? 'nothing but itself' : on.join(', ')}`, () => {
      const broken = all.filter(
        ({ file, target }) =>
          file.startsWith(`${name}/`) &&
          target.endsWith('.ts') &&
          ![name, ...on].some((room) => target.startsWith(`${room}/`)),
      );
      assert.deepEqual(broken, []);
    });
  }

  for (const { name, holds, on } of filebeatRooms) {
    it(`filebeat/${name} (${holds}) imports ${on.length === 0 ? 'nothing but itself' : on.join(', ')}`, () => {
      const broken = all.filter(
        ({ file, target }) =>
          file.startsWith(`filebeat/${name}/`) &&
          target.startsWith('filebeat/') &&
          ![name, ...on].some((room) => target.startsWith(`filebeat/${room}/`)),
      );
      assert.deepEqual(broken, []);
    });
  }

  it('no two files have the same name, and no room has too many files', () => {
    const names = files.map((file) => basename(file));
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    );
    for (const room of new Set(files.map((file) => dirname(file)))) {
      const inside = files.filter((file) => dirname(file) === room);
      assert.ok(inside.length <= 17, `${room} holds ${inside.length} files`);
    }
  });

  for (const rule of forbidden) {
    it(rule.why, () => {
      const broken = all
        .filter((i) => rule.who.test(i.file) && rule.not.test(i.target))
        .map((i) => `${i.file} imports ${i.target}`);
      assert.deepEqual(broken, []);
    });
  }

  it('only one file reads the clock', () => {
    const asks =
      /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.(?:now|timeOrigin)|\bprocess\.(?:uptime|hrtime)\b|\bos\.uptime\b|\bDate\(\)/;
    const broken = files.filter((file) => asks.test(readFileSync(join(src, file), 'utf8')));
    assert.deepEqual(broken, ['runtime/clock.ts']);
  });

  for (const [name, who] of Object.entries(onlyImporter)) {
    it(`${name} has one importer`, () => {
      const importers = [
        ...new Set(all.filter((i) => i.target === name || i.target.startsWith(`${name}/`)).map((i) => i.file)),
      ];
      assert.ok(importers.length > 0, `nobody imports ${name}`);
      assert.deepEqual(
        importers.filter((file) => !who.test(file)),
        [],
      );
    });
  }
});

it('no script or test uses the text of a URL as a path, where a space is %20', () => {
  const top = join(src, '..');
  const sources = ['scripts', 'test', 'src'].flatMap((part) =>
    readdirSync(join(top, part), { recursive: true, encoding: 'utf8' }).map((file) => join(part, file)),
  );
  const strange = sources.filter(
    (file) => /\.(ts|mjs)$/.test(file) && /import\.meta\.url\)+\.pathname/.test(readFileSync(join(top, file), 'utf8')),
  );
  assert.deepEqual(strange, []);
});
