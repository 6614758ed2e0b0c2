/** Completion in real shells, and the manual page in man(1). */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { commandNames, type Flag, flagTable } from '../../src/cli/flags.js';
import { bashCompletion, zshCompletion } from '../../src/cli/reference/completion.js';
import { flagsOf } from '../../src/cli/reference/flags-table.js';
import { manPage } from '../../src/cli/reference/man-page.js';
import { needsProgram } from '../support/needs.js';

const folder = mkdtempSync(join(tmpdir(), 'completion-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'bash'), bashCompletion());
mkdirSync(join(folder, 'functions'));
writeFileSync(join(folder, 'functions', '_filebeat-port-exporter'), zshCompletion());
mkdirSync(join(folder, 'files', 'a folder'), { recursive: true });
writeFileSync(join(folder, 'files', 'settings one.yml'), '');
writeFileSync(join(folder, 'files', 'other.yml'), '');

/** What bash offers for a line; readline splits words at `=` and `:` too. */
function bash(...words: string[]): string[] {
  const list = ['filebeat-port-exporter', ...words].map((word) => `'${word}'`).join(' ');
  const script = `. ${folder}/bash; COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _fpe; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-uc', script], {
    encoding: 'utf8',
    cwd: join(folder, 'files'),
  });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout.split('\n').filter((line) => line !== '');
}

const named = (command: (typeof commandNames)[number]) =>
  flagsOf(command).map(([name, flag]) => `--${name}${flag.kind === 'toggle' ? '' : '='}`);

describe('bash', needsProgram('bash'), () => {
  it('completes the five commands', () => {
    assert.deepEqual(bash(''), commandNames);
    assert.deepEqual(bash('ex'), ['explain']);
  });

  it('offers the flags of the command, and those of serve if there is none', () => {
    for (const command of commandNames) assert.deepEqual(bash(command, '--'), named(command));
    assert.deepEqual(bash('--'), named('serve'));
    assert.deepEqual(bash('check', '--qu'), ['--quiet']);
    assert.deepEqual(bash('--config.file', '=', 'x', 'metrics', '--out'), ['--output=']);
  });

  it('completes files, folders and choices after a flag, with and without =', () => {
    const files = ['a folder', 'other.yml', 'settings one.yml'];
    assert.deepEqual(bash('--config.file', '').sort(), files);
    assert.deepEqual(bash('--config.file', '=', 'se'), ['settings one.yml']);
    assert.deepEqual(bash('--config.file', '=').sort(), files);
    assert.deepEqual(bash('--path.rootfs', '=', ''), ['a folder']);
    assert.deepEqual(bash('--log.format', '=', ''), ['logfmt', 'json']);
    assert.deepEqual(bash('--log.level', 'w'), ['warn']);
    assert.deepEqual(bash('--scan.grace', ''), []);
  });

  it('completes files after --, in Filebeat’s command line', () => {
    assert.deepEqual(bash('explain', '--', 'filebeat', '-c', 'o'), ['other.yml']);
  });

  it('is registered for the program', () => {
    const { stdout } = spawnSync('bash', ['--norc', '-c', `. ${folder}/bash; complete -p`], { encoding: 'utf8' });
    assert.match(stdout, /^complete -F _fpe filebeat-port-exporter$/m);
  });
});

/** What zsh offers after the tab key in an interactive shell on a pseudo-terminal; ends once `awaited` is printed. */
function zsh(line: string, awaited: string): string {
  const script = `zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "PS1=; fpath=(${folder}/functions \\$fpath); autoload -U compinit; compinit -u -D; setopt noautomenu nolistbeep listrowsfirst; unsetopt zle_bracketed_paste; cd ${folder}/files; LISTMAX=1000; COLUMNS=200; zstyle ':completion:*' list-prompt ''; echo re''ady"
zpty -r shell out '*ready'
zpty -w -n shell ${`"${line}"`}$'\\t'
zpty -r shell out '*${awaited}'
zpty -w -n shell $'\\x15'"echo do''ne"$'\\n'
zpty -r shell rest '*done'
print -r -- $out$rest
zpty -d shell`;
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(stderr, '');
  return stdout;
}

describe('zsh', needsProgram('zsh'), () => {
  it('accepts the script', () => {
    const { status, stderr } = spawnSync('zsh', ['-n', join(folder, 'functions', '_filebeat-port-exporter')]);
    assert.equal(status, 0, String(stderr));
  });

  it('completes commands, the flags of each, choices and files', () => {
    const all = zsh('filebeat-port-exporter ', 'serve');
    for (const name of commandNames) assert.match(all, new RegExp(`\\b${name} +-- `), name);
    assert.match(zsh('filebeat-port-exporter ex', 'plain'), /ex.*plain/s);
    const check = zsh('filebeat-port-exporter check --', '--version');
    for (const name of named('check')) assert.ok(check.includes(name.replace('=', '')), name);
    assert.ok(!check.includes('--web.listen-address'));
    assert.match(zsh('filebeat-port-exporter --log.level=', 'warn'), /debug +error +info +warn/);
    assert.match(zsh('filebeat-port-exporter --config.file=oth', 'er.yml'), /oth.*er\.yml/s);
  });
});

describe('the manual page', () => {
  const page = manPage('0.1.0', '2026-01-31');

  it('has every flag with its help, and every command with its exit codes', () => {
    const text = page.replaceAll('\\-', '-').replaceAll('\\(cq', '’').replaceAll('\\&', '');
    for (const [name, flag] of Object.entries(flagTable) as [string, Flag][]) {
      assert.ok(text.includes(`\\fB--${name}`), name);
      assert.ok(text.includes(flag.help.replaceAll('`', '')), name);
    }
    for (const name of commandNames) assert.match(text, new RegExp(`^\\\\fB${name}\\\\fR\\n0 `, 'm'), name);
  });

  it('gives no warning in man', needsProgram('man'), () => {
    const file = join(folder, 'page.8');
    writeFileSync(file, page);
    const { stdout, stderr, status } = spawnSync('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assert.ok(stdout.length > 1000);
  });
});
