/** The documentation matches the program. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flagTable } from '../../src/cli/flags.js';
import { tableNames, tablesIn, withTables } from '../../src/cli/reference/document.js';
import { statusDocument } from '../../src/exporter/json/status-json.js';
import { metricTable } from '../../src/exporter/metrics/metric-table.js';
import { newestOfLine, parseRelease } from '../../src/filebeat/releases/releases.js';
import { mismatchCodes } from '../../src/model/mismatches.js';
import type { MismatchCode } from '../../src/model/model.js';
import { parseSettings } from '../../src/settings/settings.js';
import { report } from '../support/report.js';
import { statuses } from '../support/table-words.js';

const top = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(join(top, name), 'utf8');
const docs = readdirSync(join(top, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const pages = [...docs, ...readdirSync(top).filter((name) => name.endsWith('.md'))];
/** Flags of the exporter in a text. */
const flagWords = (text: string) => [...text.matchAll(/(?<![\w-])--([a-z][\w.-]*[a-z])/g)].map((m) => m[1]!);

describe('the reference', () => {
  it('has every generated table once, up to date (`npm run reference` writes them)', () => {
    const found = docs.flatMap((name) => tablesIn(read(name)));
    assert.deepEqual([...found].sort(), [...tableNames].sort());
    for (const name of docs) assert.equal(withTables(read(name)), read(name), name);
  });

  it('a table that is out of date is rewritten', () => {
    const text = read('docs/flags.md');
    const old = text.replace('| `--quiet` |', '| `--silent` |');
    assert.notEqual(old, text);
    assert.equal(withTables(old), text);
    assert.throws(() => withTables('<!-- made: nothing -->\n<!-- /made -->'), /nothing/);
  });

  it('metrics.md has every metric and every status, and names no metric that does not exist', () => {
    const text = read('docs/metrics.md');
    for (const name of Object.keys(metricTable)) assert.ok(text.includes(`| \`${name}\` |`), name);
    for (const status of Object.keys(statuses)) assert.ok(text.includes(`| \`${status}\` |`), status);
    for (const [, word = ''] of text.matchAll(/`(filebeat_\w+)/g)) assert.ok(word in metricTable, word);
  });

  it('mismatches.md has every code, and none that does not exist', () => {
    const text = read('docs/mismatches.md');
    const headings = [...text.matchAll(/^#+ `?([a-z]+(?:_[a-z]+)*)`?$/gm)].map((m) => m[1]!);
    const codes = headings.filter((heading) => heading.includes('_') || ['drops', 'lookalike'].includes(heading));
    assert.deepEqual([...codes].sort(), [...mismatchCodes].sort());
  });

  it('flags.md has every flag, and examples and settings that are accepted', () => {
    const text = read('docs/flags.md');
    for (const name of Object.keys(flagTable)) assert.match(text, new RegExp(`\\| \`--${name}[=\`]`), name);
    for (const [, yaml = ''] of text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)) {
      const parsed = parseSettings(Buffer.from(yaml), 'docs/flags.md');
      assert.ok(parsed.ok, JSON.stringify(parsed));
    }
  });

  it('no page names a flag of the exporter that does not exist', () => {
    for (const page of pages) {
      for (const line of read(page).split('\n')) {
        const command = /(?:filebeat-port-exporter|npm start --|main\.js) .*/.exec(line)?.[0];
        if (command === undefined) continue;
        // Flags after ` -- ` are Filebeat's, and a flag in a sentence may be another program's.
        const ours = command.replace(/^npm start -- /, '').split(' -- ')[0]!;
        if (!/^\s*(?:[$#] )?\S*filebeat-port-exporter|`/.test(line)) continue;
        for (const word of flagWords(ours.split('`')[0]!)) assert.ok(word in flagTable, `${page}: --${word}`);
      }
    }
  });

  it('page.md has every route, and none that does not exist', () => {
    const routes = [...read('docs/page.md').matchAll(/^\| `([A-Z]+) (\/\S*)` \|/gm)].map((m) => `${m[1]} ${m[2]}`);
    const source = read('src/exporter/routes.ts').replace('options.telemetryPath', "'/metrics'");
    const read200 = [...source.matchAll(/^ {2}get\('([^']+)'/gm)].map((m) => `GET ${m[1]}`);
    const others = [...source.matchAll(/ route\('([^']+)'\)\s+\.(\w+)\(/g)].map(
      (m) => `${m[2]!.toUpperCase()} ${m[1]}`,
    );
    assert.ok(read200.length > 3 && others.length > 3);
    assert.deepEqual([...routes].sort(), [...read200, ...others].sort());
  });

  it('api.md has every field of the document', () => {
    const text = read('docs/api.md');
    for (const field of Object.keys(statusDocument(report(), '0')))
      assert.match(text, new RegExp(`\`${field}[\`[]`), field);
  });

  it('no page names a metric or a code that does not exist', () => {
    for (const page of pages) {
      const text = read(page);
      for (const [word] of text.matchAll(/\bfilebeat_(?:instance|port|mismatch|udp|static)\w*(?![\w*{(])/g))
        assert.ok(word in metricTable || word.endsWith('_') || text.includes(`:${word}:`), `${page}: ${word}`);
      for (const [, code = ''] of text.matchAll(/(?:code="|mismatches\.md#)(\w+)/g))
        assert.ok(mismatchCodes.includes(code as MismatchCode), `${page}: ${code}`);
    }
  });

  it('upgrading-filebeat.md compares only with releases that the program knows', () => {
    const text = read('docs/upgrading-filebeat.md');
    const releases = [...text.matchAll(/--(?:compare|filebeat)-release (\S+)/g)].map((m) => m[1]!);
    assert.ok(releases.length >= 3);
    for (const one of releases) assert.ok(parseRelease(newestOfLine(one)), one);
  });
});

describe('links', () => {
  const anchorOf = (heading: string) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
  const anchors = (text: string) => [...text.matchAll(/^#{1,6} (.+)$/gm)].map((m) => anchorOf(m[1]!));

  it('in the documents lead to existing files and headings', () => {
    for (const page of pages) {
      const text = read(page).replaceAll(/^```[\s\S]*?^```/gm, '');
      for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [file = '', anchor] = target.split('#');
        const path = file === '' ? page : join(dirname(page), file);
        assert.ok(existsSync(join(top, path)), `${page}: ${target}`);
        if (anchor !== undefined && path.endsWith('.md'))
          assert.ok(anchors(read(path)).includes(decodeURIComponent(anchor)), `${page}: ${target}`);
      }
    }
  });

  it('files and tests named in texts and commands exist', () => {
    const tests = readdirSync(join(top, 'test'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.test.ts'),
    );
    for (const page of pages) {
      const text = read(page);
      for (const [, path = ''] of text.matchAll(/(?<![\w/.-])((?:dist\/)?(?:src|test|scripts)\/[\w./-]*\w)/g)) {
        const source = path.startsWith('dist/') ? path.slice(5).replace(/\.js$/, '.ts') : path;
        assert.ok(existsSync(join(top, source)), `${page}: ${path}`);
      }
      for (const [, words = ''] of text.matchAll(/npm test ([\w/ -]*\w)/g))
        for (const word of words.split(' '))
          assert.ok(
            tests.some((name) => name.includes(word)) || /^(and|is|in)$/.test(word),
            `${page}: npm test ${word}`,
          );
    }
  });
});
