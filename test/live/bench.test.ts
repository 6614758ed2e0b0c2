/** `npm run bench -- --quick`: measures everything, without limits. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { roomOfUnit } from '../support/bench/subjects.js';
import type { Results } from '../support/bench/tell.js';
import { rootOnly } from '../support/needs.js';

const bench = fileURLToPath(new URL('../support/bench/bench.js', import.meta.url));

describe('the memory settings', () => {
  it('are the same in unit, container and npm start', () => {
    const { flags, env } = roomOfUnit();
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    assert.ok(variables.every((one) => /^MALLOC_[A-Z_]+=\d+$/.test(one)) && variables.length > 0);
    assert.ok(flags.length >= 3 && spawnSync(process.execPath, [...flags, '-e', '0']).status === 0);
    const top = new URL('../../../', import.meta.url);
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', top), 'utf8')) as {
      scripts: Record<string, string>;
    };
    assert.ok(scripts['start']?.endsWith(`exec env ${variables.join(' ')} node ${flags.join(' ')} dist/src/main.js`));
    const [, entry = ''] =
      /^ENTRYPOINT (.*)$/m.exec(readFileSync(new URL('examples/container/Containerfile', top), 'utf8')) ?? [];
    assert.deepEqual(JSON.parse(entry), ['node', ...flags, '/app/dist/src/main.js']);
  });
});

describe('the benchmark', rootOnly, () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('measures the exporter and other tools on a host of its own, and leaves nothing behind', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bench, '--quick', '--json', '--output', folder], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    const { size, sideBySide, growth } = JSON.parse(stdout) as Results;
    assert.deepEqual(size, { bystanders: 20, descriptors: 5, instances: 2, ports: 3 });
    for (const { title, cpu, wall } of [sideBySide.exporter, ...sideBySide.others])
      assert.ok(cpu >= 0 && wall > 0 && cpu < 60_000, title);
    assert.ok(sideBySide.exporter.rss! > 10 && sideBySide.rss.bare > 10);
    assert.ok(sideBySide.first.exporter.wall > 0 && sideBySide.first.bare.wall > 0);
    assert.ok(sideBySide.bytes > 500);
    const links = sideBySide.calls?.find(({ purpose }) => purpose.startsWith('who holds a socket'));
    if (sideBySide.calls) assert.equal(links?.count, 6, 'one for each socket');
    assert.equal(
      sideBySide.calls?.some(({ kind }) => /fork|clone|execve/.test(kind)),
      sideBySide.calls && false,
    );
    assert.deepEqual(
      [...new Set(growth.map(({ direction }) => direction))],
      ['processes', 'descriptors', 'instances', 'ports'],
    );
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.includes('-ss')),
      ['descriptors.svg', 'instances.svg', 'ports.svg', 'processes.svg', 'results.json', 'results.md'],
    );
    assert.match(readFileSync(join(folder, 'ports.svg'), 'utf8'), /^<svg [\s\S]*<\/svg>\n$/);
    assert.match(readFileSync(join(folder, 'results.md'), 'utf8'), /\*\*a warm `\/metrics`\*\*/);
  });
});
