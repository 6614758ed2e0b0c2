import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readLogLine } from '../../src/self-report/log/log-line.js';
import { evening, type Form, metricsLine, said } from '../support/filebeat-log.js';

const forms: Form[] = ['text', 'json'];

describe('a line of the log', () => {
  for (const form of forms) {
    it(`${form}: the periodic metrics line has figures, 0 for those it leaves out`, () => {
      const fact = readLogLine(metricsLine(form, evening, { in: 2685, acked: 2005, active: 680, queueMax: 3200 }));
      assert.ok(fact?.kind === 'metrics');
      assert.equal(fact.at, evening);
      const { events, acked, dropped, active, queueMax, outputType } = fact.figures;
      assert.deepEqual([events, acked, dropped, active, queueMax, outputType], [2685, 2005, 0, 680, 3200, 'logstash']);
    });

    const classes: [string, string, Record<string, unknown>?][] = [
      [
        'Failed to connect to backoff(async(tcp://127.0.0.1:5044)): dial tcp 127.0.0.1:5044: connect: connection refused',
        'output_connect',
      ],
      ['failed to publish events: temporary bulk send failure', 'output_publish'],
      ['failed to perform any bulk index operations: 403 Forbidden: hunter2', 'output_publish'],
      ['Writing event to file failed with: write /x: no space left on device', 'output_dropped'],
      ["Error loading config from file '/etc/filebeat/in.d/a.yml', error invalid config: yaml: line 1: x", 'reload'],
      ["Input 'udp' failed with: the processor action nope does not exist", 'input'],
      ['Exiting: error loading config file', 'exiting'],
      ['something nobody knows', 'other'],
    ];
    for (const [message, kind] of classes)
      it(`${form}: “${message.slice(0, 40)}” is of the kind ${kind}`, () => {
        const fact = readLogLine(said(form, evening, message));
        assert.deepEqual([fact?.kind, fact?.at], [kind, evening]);
      });

    it(`${form}: a failed bind has protocol, address and reason`, () => {
      const message = 'Error starting the servererrorlisten udp 0.0.0.0:7006: bind: address already in use';
      assert.deepEqual(readLogLine(said(form, evening, message)), {
        kind: 'bind',
        at: evening,
        protocol: 'udp',
        address: '0.0.0.0:7006',
        reason: 'in-use',
      });
    });
  }

  it('a failed bind is also found in the field error.message', () => {
    const fact = readLogLine(
      said('json', evening, 'Cannot connect', { 'error.message': 'listen udp 0.0.0.0:514: bind: permission denied' }),
    );
    assert.ok(fact?.kind === 'bind');
    assert.deepEqual([fact.address, fact.reason], ['0.0.0.0:514', 'denied']);
  });

  it('the payload of an event shows that the file is not a log', () => {
    assert.equal(readLogLine('{"log.level":"warn","log.type":"event","message":"secret"}')?.kind, 'event-data');
  });

  it('a line that is too long, torn, binary or not from a log is ignored', () => {
    const long = metricsLine('json', evening, { active: 1 }).padEnd(300_000, ' ');
    for (const text of ['', '{"log.level":"error"', long, '\u0000\u0001', 'plain text', '[1,2]', 'null'])
      assert.equal(readLogLine(text), undefined);
  });
});
