/**
 * The drop ledger in the whole program: datagrams that the kernel really dropped, compared with `ss`, `snmp` and our own
 * count. In a network namespace of its own, so that the counters contain no other datagrams.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { rootOnly } from '../support/needs.js';
import { type Sender, startSender } from '../support/sender.js';
import { createWorld, type Filebeat } from '../support/world.js';

const REBINDS = 20;
const PORT = 9000;
/** Requested bytes; the kernel doubles them: room for nine short datagrams. */
const READ_BUFFER = 4096;

describe('the drop ledger', rootOnly, () => {
  const world = createWorld('ledger-');
  const config = join(world.folder, 'lossy.yml');
  const text = `filebeat.inputs:\n- type: udp\n  host: "127.0.0.1:${PORT}"\n  read_buffer: ${READ_BUFFER}\noutput.console.enabled: true\n`;
  const state = `--state.file=${join(world.folder, 'state.json')}`;
  let exporter: Exporter;
  let other: Filebeat;
  let lossy: Filebeat;
  let sender: Sender;
  let sent = 0;
  let received = 0;
  let highest = 0;
  /** The most recent socket. */
  let fd: number;

  before(async () => {
    exporter = await startExporter([state]);
    // Keeps the namespace alive while the other process is restarted.
    other = await world.filebeat('other', ['127.0.0.1:9001'], { netns: 'new' });
    lossy = await start();
    sender = await startSender(other.pid);
  });
  after(async () => {
    await sender?.stop();
    await world.end();
    await exporter?.stop();
  });

  const start = () => world.filebeat('lossy', [], { text, netns: { pid: other.pid } });
  const bind = (to: Filebeat) => to.bind(`udp 127.0.0.1:${PORT}`, { receiveBuffer: READ_BUFFER });

  async function send(count: number) {
    await sender.send(PORT, count);
    sent += count;
  }
  async function take(of: Filebeat, fd: number, most: number) {
    received += await of.receive(fd, most);
  }

  /** The metric, which never decreases. */
  async function dropsTold(): Promise<number> {
    const told = (await exporter.scrape()).value('filebeat_port_drops_total', { config })!;
    assert.ok(told >= highest, `${told} after ${highest}`);
    highest = told;
    return told;
  }
  function snmp(): { rcvbufErrors: number; noPorts: number } {
    const [names, values] = readFileSync(`/proc/${other.pid}/net/snmp`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('Udp: '))
      .map((line) => line.split(' ')) as [string[], string[]];
    const value = (name: string) => Number(values[names.indexOf(name)]);
    return { rcvbufErrors: value('RcvbufErrors'), noPorts: value('NoPorts') };
  }
  /** `skmem:(r0,rb8192,t0,tb212992,f0,w0,o0,bl0,d31)`. */
  function ss(): { buffer: number; drops: number } {
    const words = ['-t', `${other.pid}`, '-n', 'ss', '-uanmH', 'sport', '=', `:${PORT}`];
    const said = execFileSync('nsenter', words, { encoding: 'utf8' });
    const [, buffer, drops] = /skmem:\(.*\brb(\d+),.*\bd(\d+)\)/.exec(said)!;
    return { buffer: Number(buffer), drops: Number(drops) };
  }

  it(`equals sent less received datagrams, over ${REBINDS} re-binds`, async (context) => {
    let bySs = 0;
    for (let turn = 0; turn < REBINDS; turn++) {
      fd = await bind(lossy);
      await send(15 + turn);
      await take(lossy, fd, turn % 4);
      if (turn % 3 === 0) assert.equal(await dropsTold(), bySs + ss().drops, 'while datagrams wait');
      await send(10 + (turn % 7));
      await take(lossy, fd, Number.POSITIVE_INFINITY);
      assert.equal(await dropsTold(), sent - received, `re-bind ${turn}`);
      bySs += ss().drops;
      await lossy.close(fd);
    }
    const told = await dropsTold();
    context.diagnostic(
      `${REBINDS} re-binds: ${sent} sent, ${received} received, ${sent - received} lost; filebeat_port_drops_total ${told}, ` +
        `ss -uanm ${bySs}, RcvbufErrors ${snmp().rcvbufErrors}`,
    );
    assert.ok(sent - received > REBINDS * 10);
    assert.deepEqual([told, bySs, snmp().rcvbufErrors], Array(3).fill(sent - received));
  });

  it('shows the kernel’s buffer size, derived from read_buffer', async () => {
    fd = await bind(lossy);
    const { buffer } = ss();
    assert.equal(buffer, 2 * READ_BUFFER);
    assert.equal((await exporter.scrape()).value('filebeat_port_receive_buffer_bytes', { config }), buffer);
    await lossy.close(fd);
  });

  it('continues when Filebeat is restarted', async () => {
    await lossy.kill();
    assert.equal(await dropsTold(), sent - received);
    lossy = await start();
    fd = await bind(lossy);
    assert.equal(await dropsTold(), sent - received);
    await send(30);
    await take(lossy, fd, Number.POSITIVE_INFINITY);
    assert.equal(await dropsTold(), sent - received);
  });

  it('continues when the exporter is restarted, including drops in between', async () => {
    await exporter.stop();
    await send(40);
    exporter = await startExporter([state]);
    const inside = sent - received;
    // Nine of them are still in the queue.
    const waiting = await lossy.receive(fd, 40);
    received += waiting;
    assert.ok(waiting > 0);
    assert.equal(await dropsTold(), inside - waiting);
    assert.equal(snmp().rcvbufErrors, sent - received);
  });

  it('never decreases: the scan that sees a socket closed saves its drops', async () => {
    await send(30);
    await dropsTold();
    await lossy.close(fd);
    await dropsTold();
    process.kill(exporter.pid, 'SIGKILL');
    await exporter.ended;
    rmSync(exporter.folder, { recursive: true });
    fd = await bind(lossy);
    exporter = await startExporter([state]);
    const before = highest;
    assert.equal(await dropsTold(), before);
  });

  it('is a lower bound: drops between the last scan and the close of a socket are not counted', async () => {
    await dropsTold();
    await send(20);
    await lossy.close(fd);
    assert.ok((await dropsTold()) < snmp().rcvbufErrors);
  });

  it('datagrams to the port of a killed listener count as no_ports of the namespace', async (context) => {
    await lossy.kill();
    const netns = (await exporter.scrape()).one('filebeat_instance_info', { config: other.config }).labels;
    const labels = { network_namespace: netns.get('network_namespace')! };
    assert.match(labels.network_namespace, /^\d+$/);
    const before = (await exporter.scrape()).value('filebeat_udp_no_ports_total', labels)!;
    await sender.send(PORT, 25);
    const told = (await exporter.scrape()).value('filebeat_udp_no_ports_total', labels)! - before;
    context.diagnostic(`25 sent to the port of a killed listener: filebeat_udp_no_ports_total rose by ${told}`);
    assert.equal(told, 25);
    assert.equal((await exporter.scrape()).value('filebeat_port_up', { config }), 0);
  });
});
