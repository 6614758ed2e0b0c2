/** The evaluator of shell scripts, compared with real shells: where it claims to be certain it must be right. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newLaunchContext } from '../../src/discovery/launch/new-launch-context.js';
import { runShell } from '../../src/discovery/shell/shell-run.js';
import { openFileView } from '../../src/proc/files/root-files.js';
import { needsProgram } from '../support/needs.js';
import { createChance } from '../support/random.js';
import { type MadeScript, makeScript, scriptFolder } from '../support/shell-scripts.js';

const seed = Number(process.env['SEED'] ?? 20260131);
const rounds = Number(process.env['ROUNDS'] ?? 2500);
const batch = 250;

/** The evaluator is less certain about directories that a boot empties, so the scripts do not run in a checkout below /tmp. */
const here = fileURLToPath(new URL('.', import.meta.url));
const top = mkdtempSync(join(/^\/(?:run|tmp|var\/tmp|dev)\//.test(here) ? homedir() : here, 'shell-'));
after(() => rmSync(top, { recursive: true, force: true }));
for (const [path, text] of Object.entries(scriptFolder)) {
  mkdirSync(dirname(join(top, 'files', path)), { recursive: true });
  writeFileSync(join(top, 'files', path), text);
}
mkdirSync(join(top, 'bin'));
// It prints its arguments: `filebeat '<%s>' WORD…`.
symlinkSync('/usr/bin/printf', join(top, 'bin', 'filebeat'));

/** What a real shell starts. Through a pipe the output is complete: `cat` ends after the last job that writes. */
function runReally(shell: string, scripts: readonly MadeScript[]): string[] {
  const folder = mkdtempSync(join(top, 'batch-'));
  const lines = scripts.map(({ text, args }, at) => {
    writeFileSync(join(folder, `${at}.sh`), text);
    const words = args.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return `( cd '${join(top, 'files')}'; set -- ${words}; . '${folder}/${at}.sh' 2>/dev/null ) | cat > '${folder}/${at}.out'`;
  });
  writeFileSync(join(folder, 'all.sh'), `${lines.join('\n')}\nwait\n`);
  const { status } = spawnSync(shell, [join(folder, 'all.sh')], {
    env: { PATH: `${join(top, 'bin')}:/usr/bin:/bin` },
    stdio: 'ignore',
  });
  assert.notEqual(status, null);
  return scripts.map((_, at) => readFileSync(join(folder, `${at}.out`), 'utf8'));
}

/** Each start begins with the argument `@`. */
const startsIn = (output: string): string[] =>
  output
    .split('<@>')
    .slice(1)
    .map((rest) => `<@>${rest}`)
    .sort();

/** What the evaluator returns: undefined where it is not certain. */
function evaluate(dialect: 'posix' | 'bash', { text, args }: MadeScript): string[] | undefined {
  const world = newLaunchContext(openFileView('/'), []);
  const launch = {
    argv: ['sh'],
    program: 'sh',
    cwd: join(top, 'files'),
    env: { PATH: '/bin' },
    envIncomplete: false,
    user: { name: 'root', uid: 0, gid: 0 },
    root: '/',
    network: 'host' as const,
    uncertain: [],
    depth: 0,
    byShell: true,
  };
  runShell(text, launch, world, { dialect, name: 'sh', args });
  if (world.unclear.length > 0 || world.starts.some(({ uncertain }) => uncertain.length > 0)) return undefined;
  return world.starts.map(({ argv }) =>
    argv
      .slice(2)
      .map((word) => `<${word}>`)
      .join(''),
  );
}

for (const [shell, dialect] of [
  ['dash', 'posix'],
  ['bash', 'bash'],
] as const) {
  describe(`scripts for ${shell}`, needsProgram(shell === 'dash' ? 'sh' : shell), () => {
    it(`start what the evaluator says, for ${rounds} random scripts`, () => {
      let certain = 0;
      for (let from = 0; from < rounds; from += batch) {
        const made = Array.from({ length: Math.min(batch, rounds - from) }, (_, at) => {
          const chance = createChance(seed + from + at);
          return makeScript(chance, dialect, `filebeat '<%s>' @`);
        });
        const real = runReally(shell, made);
        for (const [at, script] of made.entries()) {
          const said = evaluate(dialect, script);
          if (said === undefined) continue;
          certain += 1;
          assert.deepEqual(
            startsIn(real[at]!),
            said.sort(),
            `seed ${seed + from + at}:\n${script.text}args: ${JSON.stringify(script.args)}`,
          );
        }
      }
      console.log(`# ${shell}: seed ${seed}, ${rounds} scripts, certain of ${certain}`);
      assert.ok(certain > rounds / 4, `certain of only ${certain} of ${rounds}`);
    });
  });
}
