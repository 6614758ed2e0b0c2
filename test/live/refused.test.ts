/** Inputs that Filebeat refuses while it runs, and predictions that a running process refutes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Report } from '../../src/model/model.js';
import { createTrial, ownMismatches, ownPort, type Trial, tell } from '../support/trial.js';

const output = 'output.console.enabled: true\n';
const badInput = (port: number) =>
  `- type: udp\n  host: "127.0.0.1:${port}"\n  processors:\n  - no_such_processor: {}\n`;
const goodInput = (port: number) => `- type: udp\n  host: "127.0.0.1:${port}"\n`;
const main = (...entries: string[]) => `filebeat.inputs:\n${entries.join('')}${output}`;

async function trial(run: (trial: Trial) => Promise<void>, grace = 0): Promise<void> {
  const one = createTrial(grace);
  try {
    await run(one);
  } finally {
    await one.end();
  }
}

/** Everything that is shown about the Filebeat with this main file. */
function verdictOf(report: Report, config: string) {
  const at = report.snapshot.instances.findIndex((one) => one.config === config);
  return { instance: report.snapshot.instances[at]!, verdict: report.verdict.instances[at]! };
}

describe('an input that Filebeat refuses while it runs on', () => {
  it('is a port that is down, with processor, file and line', () =>
    trial(async (t) => {
      const [a, b] = [await ownPort(), await ownPort()];
      const one = await t.release('core', '8.19.21', main(badInput(a), goodInput(b)), [`udp 127.0.0.1:${b}`]);
      await t.scan();
      const report = await t.scan();
      const told = tell(report, t);
      assert.deepEqual(told.lines, [`input_refused core udp 127.0.0.1:${a} config`]);
      assert.match(told.causes, /processor no_such_processor\. See .*core\.yml:5/);
      const { verdict } = verdictOf(report, one.config);
      assert.equal(verdict.healthy, false);
      assert.deepEqual(
        verdict.ports.map(({ port, up, status }) => [port, up, status]),
        [a, b].sort((x, y) => x - y).map((port) => [port, port === b, port === a ? 'refused' : 'listening']),
      );
    }));

  it('is reported within one scan after the edit of a reloaded file', () =>
    trial(async (t) => {
      const port = await ownPort();
      const path = t.write('inputs.d/a.yml', goodInput(port));
      t.age(path, 100);
      const text = `filebeat.config.inputs: {path: ${t.folder}/inputs.d/*.yml, reload.enabled: true}\n${output}`;
      await t.release('core', '8.19.21', text, [`udp 127.0.0.1:${port}`]);
      t.wait(60);
      assert.deepEqual(tell(await t.scan(), t).lines, []);
      t.write('inputs.d/a.yml', badInput(port));
      t.age(path, 0);
      assert.deepEqual(tell(await t.scan(), t).lines, [`input_refused core udp 127.0.0.1:${port} config`]);
    }));

  it('in a file read only at the start is a pending restart while the earlier socket is open', () =>
    trial(async (t) => {
      const [a, b] = [await ownPort(), await ownPort()];
      await t.release('core', '8.19.21', main(goodInput(a), goodInput(b)), [
        `udp 127.0.0.1:${a}`,
        `udp 127.0.0.1:${b}`,
      ]);
      assert.deepEqual(tell(await t.scan(), t).lines, []);
      t.wait(60);
      t.age(t.write('core.yml', main(badInput(a), goodInput(b))), 0);
      const told = tell(await t.scan(), t);
      assert.deepEqual(told.lines, ['restart_pending core edited-after-start']);
      assert.match(told.causes, new RegExp(`would close udp 127\\.0\\.0\\.1:${a}`));
    }));

  it('without a known port is a pending restart after an edit that was seen, otherwise a warning', () =>
    trial(async (t) => {
      const port = await ownPort();
      const good = main(goodInput(port));
      const bad = `${good}filebeat.modules: [{module: no_such_module}]\n`;
      const one = await t.release('core', '7.17.16', good, [`udp 127.0.0.1:${port}`]);
      assert.deepEqual(tell(await t.scan(), t).lines, []);
      t.wait(60);
      t.age(t.write('core.yml', bad), 0);
      const pending = tell(await t.scan(), t);
      assert.deepEqual(pending.lines, ['restart_pending core edited-after-start']);
      assert.match(pending.causes, /It would run without a configured input/);
      assert.match(pending.remedies, /^edit .*, then restart this Filebeat/);
      await one.kill();
      const other = await ownPort();
      await t.release('edge', '7.17.16', main(goodInput(other)), [`udp 127.0.0.1:${other}`]);
      t.wait(60);
      t.age(t.write('edge.yml', bad.replace(String(port), String(other))), 0);
      const told = ownMismatches(await t.scan(), t).filter(({ config }) => config?.endsWith('edge.yml'));
      assert.deepEqual(
        told.map((m) => [m.code, m.severity, m.cause.kind]),
        [['input_refused', 'warning', 'maybe-refused']],
      );
    }));

  it('that opens no socket is a warning', () =>
    trial(async (t) => {
      const port = await ownPort();
      t.write('inputs.d/a.yml', `- {type: filestream, id: x, paths: []}\n${goodInput(port)}`);
      const text = `filebeat.config.inputs: {path: ${t.folder}/inputs.d/*.yml, reload.enabled: true}\n${output}`;
      const one = await t.release('core', '8.19.21', text, [`udp 127.0.0.1:${port}`]);
      const report = await t.scan();
      assert.deepEqual(
        ownMismatches(report, t).map(({ code, severity, port: at }) => [code, severity, at]),
        [['input_refused', 'warning', undefined]],
      );
      assert.equal(verdictOf(report, one.config).verdict.healthy, true);
    }));

  it('in an invalid file is reported for the instance', () =>
    trial(async (t) => {
      const port = await ownPort();
      t.write('inputs.d/a.yml', goodInput(port));
      t.write('inputs.d/b.yml', '- {type: udp, host: "broken\n');
      const text = `filebeat.config.inputs: {path: ${t.folder}/inputs.d/*.yml, reload.enabled: true}\n${output}`;
      await t.release('core', '8.19.21', text, [`udp 127.0.0.1:${port}`]);
      const report = await t.scan();
      assert.deepEqual(
        ownMismatches(report, t).map(({ code, severity, protocol, declaredIn }) => [
          code,
          severity,
          protocol,
          declaredIn?.file.slice(t.folder.length),
        ]),
        [['input_refused', undefined, undefined, '/inputs.d/b.yml']],
      );
    }));

  it('is not expected if it is disabled', () =>
    trial(async (t) => {
      const [a, b] = [await ownPort(), await ownPort()];
      const off = badInput(a).replace('type: udp', 'type: udp\n  enabled: false');
      await t.release('core', '8.19.21', main(off, goodInput(b)), [`udp 127.0.0.1:${b}`]);
      assert.deepEqual(tell(await t.scan(), t).lines, []);
    }));
});

describe('a prediction that a running process refutes', () => {
  it('is that of a refused input whose socket it holds', () =>
    trial(async (t) => {
      const [a, b] = [await ownPort(), await ownPort()];
      const sockets = [a, b].map((port) => `udp 127.0.0.1:${port}`);
      const one = await t.release('core', '8.19.21', main(badInput(a), goodInput(b)), sockets);
      t.wait(1);
      const report = await t.scan();
      const told = tell(report, t);
      assert.deepEqual(told.lines, ['prediction_refuted core config']);
      assert.match(told.causes, /core\.yml:5/);
      assert.match(told.remedies, /report it/);
      const { verdict } = verdictOf(report, one.config);
      assert.equal(verdict.healthy, true);
      assert.equal(verdict.configValid, true);
      await one.kill();
      assert.deepEqual(tell(await t.scan(), t).lines, ['instance_down core not-running']);
      // A refutation holds for the same content and release, from the first scan of the next process on.
      const argv = ['filebeat', '-c', one.config, '--path.home', `${t.folder}/home-core`];
      await t.process({ argv: [...argv, '--path.data', `${t.folder}/home-core/data`], sockets: [sockets[1]!] });
      assert.deepEqual(tell(await t.scan(), t).lines, [
        `port_missing core udp 127.0.0.1:${a} bind-failed`,
        'prediction_refuted core config',
      ]);
    }));

  it('is that of a failing start, by the socket of one of its inputs', () =>
    trial(async (t) => {
      const port = await ownPort();
      const text = `filebeat.inputs:\n${goodInput(port)}output.no_such_output: {}\n`;
      const one = await t.release('core', '8.19.21', text, [`udp 127.0.0.1:${port}`]);
      t.wait(1);
      const report = await t.scan();
      assert.deepEqual(tell(report, t).lines, ['prediction_refuted core config']);
      const { verdict } = verdictOf(report, one.config);
      assert.deepEqual([verdict.healthy, verdict.configValid, verdict.ports.length], [true, true, 1]);
      // Other content is predicted again.
      t.wait(60);
      t.age(t.write('core.yml', `${text}# edited\n`), 0);
      assert.deepEqual(tell(await t.scan(), t).lines, ['config_invalid core config']);
    }));

  it('is not refuted by a stats endpoint, or after an edit', () =>
    trial(async (t) => {
      const [a, b] = [await ownPort(), await ownPort()];
      const text = `filebeat.inputs:\n${goodInput(a)}- {type: no_such_input}\nhttp: {enabled: true, port: ${b}}\noutput.console.enabled: true\n`;
      await t.release('core', '7.17.16', text, [`tcp 127.0.0.1:${b}`]);
      t.wait(120);
      assert.deepEqual(tell(await t.scan(), t).lines, ['config_invalid core hangs-after-refusal']);
    }));
});

describe('an unknown release', () => {
  it('gives both outcomes for an instance that is down, and only instance_down is critical', () =>
    trial(async (t) => {
      const port = await ownPort();
      const text = `filebeat.inputs:\n${goodInput(port)}- {type: log, paths: [/var/log/x]}\n${output}`;
      const config = t.write('core.yml', text);
      const argv = [`${t.folder}/filebeat`, '-c', config, '--path.data', `${t.folder}/data`];
      t.settings = { ...t.settings, instances: [{ ...t.settings.instances[0], name: 'core', argv, env: {} }] };
      const told = tell(await t.scan(), t);
      assert.deepEqual(told.lines, ['instance_down core never-seen', 'config_unresolved core config']);
      assert.match(told.causes, /Filebeat 8\.\d+\.\d+ would start with its files, newer ones would refuse them/);
    }));
});

describe('an instance that is only remembered', () => {
  it('is judged by the files on disk now: after an edit that breaks them it cannot start', () =>
    trial(async (t) => {
      const port = await ownPort();
      const one = await t.release('core', '8.19.21', main(goodInput(port)), [`udp 127.0.0.1:${port}`]);
      await t.scan();
      await one.kill();
      assert.deepEqual(tell(await t.scan(), t).lines, ['instance_down core not-running']);
      t.write('core.yml', 'filebeat.inputs: [\n');
      const told = tell(await t.scan(), t);
      assert.deepEqual(told.lines, ['instance_down core config']);
      assert.match(told.causes, /not valid YAML\. See .*core\.yml/);
    }));
});
