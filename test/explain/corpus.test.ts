/** `explain` on every case of the conformance corpus, if it is present: output, and whether Filebeat would start. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { explain } from '../../src/cli/explain-command.js';
import { parseOptions } from '../../src/cli/options.js';
import { createLogger } from '../../src/runtime/log.js';
import { needs } from '../support/needs.js';

const corpus = resolve('../shared/corpus');
const log = createLogger({ level: 'error', format: 'logfmt', write: () => {}, now: Date.now });

interface Case {
  exe?: string;
  cwd?: string;
  argv: string[];
  env?: Record<string, string>;
  links?: Record<string, string>;
  expected: {
    filebeat: string[];
    state: string;
    listeners: { proto: string; port: number }[];
    alternatives?: { state?: string }[];
  }[];
}

const copies = mkdtempSync(join(tmpdir(), 'explain-corpus-'));
after(() => rmSync(copies, { recursive: true, force: true }));

/** The folder itself, or a copy with the links that the case needs. */
function folderOf(id: string, { links }: Case): string {
  const folder = join(corpus, id);
  if (links === undefined) return folder;
  const copy = join(copies, id);
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true });
  for (const [name, target] of Object.entries(links)) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    symlinkSync(target.replaceAll('${CASE}', copy), join(copy, name));
  }
  return copy;
}

async function explained(one: Case, folder: string, release: string, json: boolean) {
  const fill = (text: string) =>
    text.replaceAll('${CASE}', folder).replaceAll('${HOME}', join(corpus, 'homes', release));
  const env = Object.entries(one.env ?? {}).flatMap(([name, value]) => ['--env', `${name}=${fill(value)}`]);
  const argv = [fill(one.exe ?? '${CASE}/filebeat'), ...one.argv.map(fill), '--strict.perms=false'];
  const flags = ['--state.file=', '--filebeat-release', release, '--cwd', fill(one.cwd ?? '${CASE}'), ...env];
  const parsed = parseOptions(['explain', ...flags, ...(json ? ['--json'] : []), '--', ...argv], {});
  assert.ok(parsed.kind === 'run' && parsed.options.command === 'explain');
  return explain(parsed.options.flags, parsed.options.argv, log, { color: false });
}

/** The corpus omits scripts of filesets, and the addresses of its hosts are not known. */
function isOutOfSight({ reason, faults, listeners }: Told): boolean {
  if ([reason, ...faults].some((fault) => fault?.code === 'script-missing')) return true;
  return listeners.some(
    ({ input, socket }) => input === 'http' && socket !== null && !/^(127\.|::|0\.0)/.test(socket.address),
  );
}

interface Told {
  reason: { code: string } | null;
  faults: { code: string }[];
  listeners: { input: string; socket: { table: string; address: string; port: number } | null }[];
}

/** For a Filebeat that ran: exit code 1 only for refused inputs, whose ports it did not have. */
function isRightOfRunning(code: number, { faults, listeners }: Told, seen: Case['expected'][number]['listeners']) {
  // A module without an enabled fileset declares no listener.
  const refuses = faults.some(({ code: one }) => one !== 'file-unseen' && one !== 'no-enabled-fileset');
  if ((code === 1) !== refuses) return false;
  const observed = new Set(seen.map(({ proto, port }) => `${proto}/${port}`));
  return (
    !refuses ||
    listeners.every(({ input, socket }) => {
      return input === 'http' || socket === null || observed.has(`${socket.table}/${socket.port}`);
    })
  );
}

describe('explain on the corpus', () => {
  if (!existsSync(corpus)) {
    it(
      'finds it',
      needs(`the corpus at ${corpus}`, () => false),
      () => {
        assert.fail('there is no corpus, and a build ought to have one');
      },
    );
    return;
  }
  const cases = readdirSync(corpus).filter((id) => existsSync(join(corpus, id, 'case.json')));
  it('exits with 1 exactly if Filebeat exited or refused an input, and prints every case', async () => {
    const wrong: string[] = [];
    let seen = 0;
    for (const id of cases) {
      const one = JSON.parse(readFileSync(join(corpus, id, 'case.json'), 'utf8')) as Case;
      const folder = folderOf(id, one);
      for (const { filebeat, state, listeners, alternatives } of one.expected) {
        const release = filebeat.at(-1)!;
        const { code, text } = await explained(one, folder, release, true);
        const [told] = JSON.parse(String(text)).filebeats as Told[];
        seen++;
        const right = state === 'exits' ? code === 1 : isRightOfRunning(code, told!, listeners);
        const race = alternatives?.some((other) => other.state !== undefined && other.state !== state);
        if (!race && !right && !isOutOfSight(told!)) wrong.push(`${id} ${release}: ${state}, exit code ${code}`);
      }
      const { text } = await explained(one, folder, one.expected[0]!.filebeat[0]!, false);
      assert.match(String(text), /^.+\n {2}verdict {4}\S/, id);
      assert.doesNotMatch(String(text), /(?<![-\w])undefined(?![-\w])|\[object|NaN/, id);
    }
    assert.deepEqual(wrong, []);
    assert.ok(seen >= cases.length);
  });
});
