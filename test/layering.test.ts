/** Who may import whom: read from the import lines of src/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';

const src = new URL('../../src', import.meta.url).pathname;

interface Import {
  file: string;
  target: string;
}

function imports(): Import[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
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

/** Files whose path matches `who` must not import what matches `not`. */
const forbidden: { why: string; who: RegExp; not: RegExp }[] = [
  { why: 'the model imports nothing but itself', who: /^model(\.ts$|\/)/, not: /^(?!model\/)/ },
  { why: 'the words of the model come from one place', who: /^(?!model(\.ts$|\/))/, not: /^model\// },
  {
    why: 'what thinks does no I/O and knows no view',
    who: /^(correlate\/|expected|trail|endpoint|mismatches|words)/,
    not: /^(node:|proc\/|sockets\/|discovery\/|exporter\/|main|snapshot|report|filebeat\/(?!address|faults|releases))/,
  },
  {
    why: 'what explains is pure: predictions in, answers out',
    who: /^explain\//,
    // Of node:net only what compares addresses.
    not: /^(?!explain\/|(model|words|endpoint)\.ts$|filebeat\/(address|faults|releases)\.ts$|node:net$)/,
  },
  {
    why: 'only commands and views ask for explanations',
    who: /^(?!explain\/|commands\/|exporter\/)/,
    not: /^explain\//,
  },
  {
    why: 'views render a Report and look at nothing',
    who: /^exporter\/(?!server)/,
    not: /^(proc|filebeat|sockets|discovery|snapshot)\/|^(snapshot|main)\.ts$|^node:fs/,
  },
  {
    why: 'readers know no verdict and no view',
    who: /^(proc|filebeat|sockets|discovery|snapshot)\/|^snapshot\.ts$/,
    not: /^(correlate|exporter)\/|^(report|main)\.ts$/,
  },
  {
    why: 'how Filebeat reads its files is known without touching a file system',
    who: /^filebeat\//,
    not: /^node:(fs|child_process|net|dgram|os|dns)/,
  },
  {
    why: 'the web server serves any application and looks at nothing of the host',
    who: /^web\//,
    not: /^(?!web\/|node:|bcryptjs$|filebeat\/(yaml|ip)\.ts$)/,
  },
  {
    why: 'the thread that scans knows no verdict and no view',
    who: /^scan\//,
    not: /^(correlate|exporter|web)\/|^(report|main|host)\.ts$/,
  },
  { why: 'nobody imports main', who: /./, not: /^main\.ts$/ },
  { why: 'nothing is forked', who: /./, not: /^node:(child_process|cluster)$/ },
];

const onlyImporter: Record<string, RegExp> = {
  'prom-client': /^exporter\/metrics/,
  systeminformation: /^discovery\/host\.ts$/,
  'js-yaml': /^filebeat\/yaml/,
  express: /^exporter\/server\.ts$/,
  bcryptjs: /^web\/bcrypt-worker\.ts$/,
  hono: /^exporter\/page\//,
  compression: /^exporter\/server\.ts$/,
};

describe('layers', () => {
  const all = imports();

  it('sees the imports it judges', () => {
    assert.ok(all.some((i) => i.file === 'report.ts' && i.target === 'correlate/correlate.ts'));
    assert.ok(all.length > 100, `only ${all.length} imports found`);
  });

  for (const rule of forbidden) {
    it(rule.why, () => {
      const broken = all
        .filter((i) => rule.who.test(i.file) && rule.not.test(i.target))
        .map((i) => `${i.file} imports ${i.target}`);
      assert.deepEqual(broken, []);
    });
  }

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
