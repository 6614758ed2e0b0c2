/**
 * Attacks from the network, and with files in folders that others may write to: the web configuration, the queue of
 * password checks, clients that do not read, control characters, temporary read errors, temporary files.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { tell } from '../support/attacks.js';
import { mainFile, startExporter } from '../support/exporter.js';
import { until } from '../support/live.js';
import { needs, rootOnly } from '../support/needs.js';
import { createWorld, udpConfig } from '../support/world.js';

const world = createWorld('trust-network-');
after(world.end);

/** Status of the response to a GET; 0: none. `from`: its source address. */
function ask(
  url: string,
  { user, from, agent }: { user?: string; from?: string; agent?: Agent } = {},
): Promise<number> {
  return new Promise((resolve) => {
    const options = {
      agent: agent ?? false,
      ...(user === undefined ? {} : { auth: user }),
      ...(from === undefined ? {} : { localAddress: from }),
    };
    const asked = request(`${url}/metrics`, options, (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? 0));
    });
    asked.once('error', () => resolve(0)).end();
  });
}

describe('from the network', () => {
  it('B1 rewrites the web configuration in place repeatedly', async () => {
    const text = `basic_auth_users: {prom: '${hashSync('right', 4)}'}\n`;
    const file = world.write('web.yml', text);
    const exporter = await startExporter([`--web.config.file=${file}`]);
    const agent = new Agent({ keepAlive: true });
    try {
      const before = `${await ask(exporter.url)} without, ${await ask(exporter.url, { user: 'prom:right' })} with password`;
      assert.equal(before, '401 without, 200 with password');
      const answers = new Map<number, number>();
      for (let round = 0; round < 900; round++) {
        // Like a shell's `>`: first empty, then half of it.
        writeFileSync(file, '');
        if (round % 3 === 1) writeFileSync(file, text.slice(0, 30));
        const status = await ask(exporter.url, { agent });
        answers.set(status, (answers.get(status) ?? 0) + 1);
        writeFileSync(file, text);
      }
      assert.deepEqual([...answers], [[401, 900]]);
      const last = `${await ask(exporter.url)} without, ${await ask(exporter.url, { user: 'prom:right' })} with password`;
      assert.equal(last, before);
      // A file that stays unchanged for a moment is used.
      writeFileSync(file, `basic_auth_users: {other: '${hashSync('new', 4)}'}\n`);
      const taken = () => ask(exporter.url, { user: 'other:new' });
      await until('the new user is known', async () => (await taken()) === 200, 20);
      tell(
        'B1 web configuration rewritten 900 times',
        before,
        '0 of 900 without password',
        last,
        'a new user is taken',
      );
    } finally {
      agent.destroy();
      await exporter.stop();
    }
  });

  it('B2 sends wrong passwords from 24 addresses', async () => {
    const file = world.write('users.yml', `basic_auth_users: {prom: '${hashSync('right', 10)}'}\n`);
    const exporter = await startExporter([`--web.config.file=${file}`]);
    const scrape = () => ask(exporter.url, { user: 'prom:right', from: '127.0.0.200' });
    try {
      const before = await scrape();
      assert.equal(before, 200);
      let isOver = false;
      let denied = 0;
      const flood = Array.from({ length: 24 * 6 }, async (_, n) => {
        while (!isOver) {
          const status = await ask(exporter.url, { user: `prom:wrong${n}`, from: `127.0.1.${1 + (n % 24)}` });
          assert.notEqual(status, 200);
          denied++;
        }
      });
      await until('the flood is there', () => denied > 100, 20);
      const during = [];
      for (let n = 0; n < 10; n++) during.push(await scrape());
      isOver = true;
      await Promise.all(flood);
      assert.deepEqual(new Set(during), new Set([200]));
      const last = await scrape();
      assert.equal(last, 200);
      tell(
        'B2 wrong passwords from 24 addresses',
        `${before}`,
        `10 of 10 scrapes 200`,
        `${last}`,
        `${denied} were refused`,
      );
    } finally {
      await exporter.stop();
    }
  });

  it('B3 requests the status 40 times and does not read', async () => {
    await world.filebeat(
      'many',
      Array.from({ length: 1500 }, (_, n) => `127.0.0.1:${20_000 + n}`),
      { sockets: [] },
    );
    const exporter = await startExporter([]);
    const resident = () =>
      Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${exporter.pid}/status`, 'utf8'))![1]) / 1024;
    try {
      const bytes = (await (await exporter.get('/api/v1/status')).text()).length;
      assert.ok(bytes > 500_000, `${bytes} bytes`);
      for (let n = 0; n < 5; n++) await (await exporter.get('/api/v1/status')).text();
      const before = resident();
      let answered = 0;
      const readers = Array.from({ length: 40 }, () => {
        const asked = request(`${exporter.url}/api/v1/status`, { agent: false }, (response) => {
          response.pause();
          answered++;
        });
        asked.once('error', () => undefined).end();
        return asked;
      });
      await until('all of them have their answer', () => answered === readers.length, 20);
      const during = resident();
      assert.equal((await exporter.get('/metrics')).status, 200);
      for (const one of readers) one.destroy();
      const last = await exporter.get('/api/v1/status');
      assert.equal(last.status, 200);
      await last.text();
      // One body for all of them, and the buffers of their sockets.
      assert.ok(during - before < 60, `${during - before} MiB`);
      const mib = (value: number) => `${value.toFixed(0)} MiB`;
      tell('B3 40 readers of the status that do not read', mib(before), mib(during), `${last.status}`, '/metrics 200');
    } finally {
      await exporter.stop();
    }
  });
});

const hasPerl = needs('perl and root', () => process.getuid?.() === 0 && spawnSync('perl', ['-e', '1']).status === 0);

describe('on the host', () => {
  it('L3 puts control characters into names', async () => {
    const evil = `a\u001b]0;x\u0007b\rc\u0085d\u202ee`;
    const one = await world.filebeat(`${evil}`, ['127.0.0.1:0'], { sockets: [] });
    const exporter = await startExporter([]);
    try {
      assert.match(one.config, /\u001b/);
      const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
      const paths = ['/metrics', '/', '/api/v1/status', `/?q=${encodeURIComponent(evil)}`];
      for (const path of paths) {
        const text = await (await exporter.get(path, { headers: { Accept: 'text/html' } })).text();
        assert.doesNotMatch(text, obeyed, path);
        assert.match(text, /\\+(?:x|u00)1b/, `${path} has the name, spelled out`);
      }
      const check = spawnSync(process.execPath, [mainFile, 'check', '--state.file='], { encoding: 'utf8' });
      assert.doesNotMatch(check.stdout, obeyed);
      tell(
        'L3 ESC, CR, C1 and bidirectional marks in names',
        `${paths.length + 1} outputs`,
        '0 raw',
        '0 raw',
        'the name is told, spelled out',
      );
      assert.match(check.stdout, /\\x1b/);
    } finally {
      await exporter.stop();
    }
  });

  it('L4 has a lease on a configuration while it is read', hasPerl, async () => {
    const one = await world.filebeat('leased', ['127.0.0.1:9871'], { sockets: ['udp 127.0.0.1:9871'] });
    const exporter = await startExporter([]);
    const up = async () => (await exporter.scrape()).value('filebeat_port_up', { config: one.config, port: '9871' });
    try {
      const before = await up();
      assert.equal(before, 1);
      // With a write lease, a non-blocking open of the file fails with EAGAIN (fcntl(2), F_SETLEASE).
      writeFileSync(one.config, `${udpConfig(['127.0.0.1:9871'])}# edited\n`);
      const lease = `$SIG{IO} = 'IGNORE'; open(F, '+<', $ARGV[0]) or die; fcntl(F, 1024, 1) or die $!; $| = 1; print "held\n"; <STDIN>`;
      const holder = spawn('perl', ['-e', lease, one.config], { stdio: ['pipe', 'pipe', 'inherit'] });
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const during = await up();
      assert.notEqual(during, 0);
      const ended = new Promise((resolve) => holder.once('close', resolve));
      holder.stdin.end();
      await ended;
      const last = await up();
      assert.equal(last, 1);
      const { mismatches } = await exporter.status();
      assert.ok(!mismatches.some(({ code, config }) => code === 'config_unreadable' && config === one.config));
      tell(
        'L4 a lease on a configuration (EAGAIN)',
        `up=${before}`,
        `up=${during ?? 'unknown'}`,
        `up=${last}`,
        'no edit was needed',
      );
    } finally {
      await exporter.stop();
    }
  });

  it('L5 uses the temporary names beside an output file', rootOnly, () => {
    const folder = join(world.folder, 'sticky');
    mkdirSync(folder);
    chmodSync(folder, 0o1777);
    const file = join(folder, 'filebeat.prom');
    const write = () => {
      const { status, stderr } = spawnSync(
        process.execPath,
        [mainFile, 'metrics', '--state.file=', `--output=${file}`],
        {
          encoding: 'utf8',
        },
      );
      return status === 0 ? `written by uid ${statSync(file).uid}` : stderr;
    };
    const before = write();
    assert.equal(before, 'written by uid 0');
    for (let pid = 1; pid < 4000; pid++)
      for (const name of [`filebeat.prom.${pid}`, `filebeat.prom.${pid}.tmp`]) writeFileSync(join(folder, name), '');
    for (const name of ['.filebeat.prom.tmp', 'filebeat.prom.tmp', 'filebeat.prom~'])
      writeFileSync(join(folder, name), '');
    execFileSync('chown', ['-R', '--from=0', '4242', folder]);
    chownSync(file, 0, 0);
    const during = write();
    assert.equal(during, before);
    const last = write();
    assert.equal(last, before);
    assert.ok(readdirSync(folder).length > 7000, 'what is his stays');
    tell('L5 files with temporary names in a sticky folder', before, during, last);
  });
});
