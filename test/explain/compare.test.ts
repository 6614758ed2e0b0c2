/** Runs `explain --compare-release`: what an upgrade changes, and the line to edit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explained, mainFile, sink, udp } from '../support/explain-cli.js';
import type { Tree } from '../support/tree.js';

describe('explain --compare-release', () => {
  const eight = ['--filebeat-release', '8.19.21', '--compare-release'];

  it('names the line with which the other release does not start', async () => {
    const tree = { 'filebeat.yml': `filebeat.inputs:\n${udp(':9000')}- type: log\n  paths: [/x]\n${sink}` };
    const { code, out } = await explained(tree, [], [...eight, '9']);
    assert.equal(code, 1);
    assert.match(out, /would not start under 9\.6\.0\n {2}because .*log inputs.*\(\/filebeat\.yml:4\)/);
    assert.match(out, /loses {6}udp \*:9000 {2}udp {2}\/filebeat\.yml:3/);
  });

  it('does not list unchanged listeners', async () => {
    const { code, out } = await explained({ 'filebeat.yml': mainFile(':9000') }, [], [...eight, '9.2']);
    assert.equal(code, 0);
    assert.match(out, /nothing changes for its listeners\n(.*\n)* {2}keeps {6}1 listener/);
  });

  it('has exit code 3 if one side is not known', async () => {
    const tree = { 'filebeat.yml': mainFile(':${P}'), 'data/filebeat.keystore': 'x' };
    assert.equal((await explained(tree, [], [...eight, '9'])).code, 3);
  });

  it('knows that an older release opens a listener in spite of enabled: false', async () => {
    const tree = {
      'filebeat.yml': `filebeat.config.inputs.path: inputs.d/*.yml\n${sink}`,
      'inputs.d/a.yml': `${udp(':9000')}  enabled: false\n`,
    };
    const { code, out } = await explained(tree, [], [...eight, '9.6.0', '--json']);
    assert.equal(code, 1);
    const [one] = JSON.parse(out).comparisons;
    assert.deepEqual([one.answer, one.lost.length, one.lost[0].declared_in], ['changes', 1, '/inputs.d/a.yml:2']);
  });

  const modules: Tree = {
    'filebeat.yml': `filebeat.config.modules.path: modules.d/*.yml\n${sink}`,
    'module/barracuda/waf/manifest.yml':
      'module_version: 1.0\nvar:\n  - name: port\n    default: 9525\ninput: config/i.yml\n',
    'module/barracuda/waf/config/i.yml': 'type: udp\nhost: "localhost:{{.port}}"\n',
    'module/acme/fw/manifest.yml':
      'module_version: 1.0\nvar:\n  - name: port\n    default: 9777\ninput: config/i.yml\n',
    'module/acme/fw/config/i.yml': 'type: udp\nhost: "localhost:{{.port}}"\nprocessors: [{add_locale: {}}]\n',
    'modules.d/own.yml': '- module: acme\n  fw: {enabled: true}\n',
  };
  const seventeen = ['--filebeat-release', '7.17.16', '--compare-release'];

  it('takes filesets of the other release from its own table, and custom modules from their files', async () => {
    const tree = { ...modules, 'modules.d/waf.yml': '- module: barracuda\n  waf: {enabled: true}\n' };
    const older = await explained(tree, [], [...seventeen, '7.9.3']);
    assert.match(
      older.out,
      /moves {6}udp 127\.0\.0\.1:9525 {2}barracuda\/waf {2}\/modules\.d\/waf\.yml:2 to udp 127\.0\.0\.1:9503/,
    );
    assert.match(older.out, /those of 7\.9\.3, from the exporter’s own table/);
    assert.match(older.out, /keeps {6}1 listener/);
    assert.equal(older.code, 1);
    const gone = await explained(tree, [], [...seventeen, '8.14']);
    assert.match(
      gone.out,
      /would not start under 8\.14\.\d\n {2}because .*module barracuda does not exist.*\(\/modules\.d\/waf\.yml:1\)/,
    );
    assert.equal((await explained(tree, [], [...seventeen, '8.13'])).code, 0);
  });
});
