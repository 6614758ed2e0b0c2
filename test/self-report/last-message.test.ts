/** The last line of a Filebeat that does not run, from real files. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openFileView } from '../../src/proc/files/root-files.js';
import { createLastMessageReader, lastExit } from '../../src/self-report/log/last-message.js';
import { readLogLine } from '../../src/self-report/log/log-line.js';
import { evening, type Form, said } from '../support/filebeat-log.js';

const folder = mkdtempSync(join(tmpdir(), 'last-words-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, lines: readonly string[], mtime: number): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  utimesSync(path, mtime, mtime);
  return path;
}

const read = (path: string, since: number) => createLastMessageReader(openFileView('/')).read({ path, since });

describe('the last line of a Filebeat that is down', () => {
  const exit = (form: Form, at: number, about: string) => said(form, at, `Exiting: ${about}`);

  it('is read from the newest log of its name, not from other files beside it', () => {
    const path = write('filebeat-20261126.ndjson', [said('json', evening, 'x')], evening);
    write(
      'filebeat-20261126-1.ndjson',
      [exit('json', evening + 60, 'error loading config file: yaml: x')],
      evening + 60,
    );
    write('filebeat-events-data-20261126.ndjson', [exit('json', evening + 90, 'fileset x')], evening + 90);
    write('filebeat-a-20261126.ndjson', [exit('json', evening + 90, 'fileset x')], evening + 90);
    symlinkSync('/dev/zero', join(folder, 'filebeat-20261126-9.ndjson'));
    assert.deepEqual(read(path, evening), { at: evening + 60, why: 'config' });
    assert.equal(read(path, evening + 3600), undefined, 'older than the last start');
  });

  it('is read from the only log file of releases up to 7.17', () => {
    const path = write(
      'filebeat',
      [exit('text', evening + 5, 'fileset cisco/x is configured but does not exist')],
      evening,
    );
    write('filebeat.1', [exit('text', evening, 'data path already locked')], evening + 100);
    assert.deepEqual(read(path, evening), { at: evening + 5, why: 'module' });
  });

  it('is unknown where two Filebeats write files of one name into one directory', () => {
    const path = write('shared-20261126.ndjson', [exit('json', evening + 5, 'fileset x')], evening + 5);
    const log = { path, since: evening };
    const reader = createLastMessageReader(openFileView('/'));
    const beside = (name: string) => reader.read(log, [log, { path: join(folder, name), since: evening }])?.why;
    assert.equal(beside('shared-20261126-1.ndjson'), undefined);
    assert.equal(beside('shared-20261126.ndjson'), undefined);
    assert.equal(beside('other-20261126.ndjson'), 'module');
  });

  it('is that of the last process in the file', () => {
    const start = said('json', evening + 1, 'Process info', {
      system_info: { process: { pid: 7, start_time: new Date((evening + 1) * 1000).toISOString() } },
    });
    assert.equal(lastExit(`${exit('json', evening, 'error initializing publisher: x')}\n${start}\n`), undefined);
  });

  const texts: [string, string][] = [
    ['data path already locked by another beat', 'locked'],
    ['error initializing publisher: parse "http://u:hunter2@[::1:9200": missing', 'output'],
    ['Failed to start crawler: starting input failed: x', 'input'],
    ['error loading config file: yaml: line 2: x', 'config'],
    ['could not start the HTTP server for the API: listen tcp 127.0.0.1:5066: bind: address already in use', 'in-use'],
    ['something else', 'exit'],
  ];
  for (const [text, why] of texts)
    it(`“${text.slice(0, 40)}” has the reason ${why}`, () => {
      assert.deepEqual(readLogLine(exit('json', evening, text)), { kind: 'exiting', at: evening, why });
    });
});
