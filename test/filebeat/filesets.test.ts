import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { knownModule, slowFileset, tableFileset, tableFilesets } from '../../src/filebeat/modules/known-filesets.js';
import { newestRelease, parseRelease } from '../../src/filebeat/releases/releases.js';
import type { Plain } from '../../src/filebeat/tree/value.js';

const at = (text: string) => (text === 'newest' ? newestRelease : (parseRelease(text) ?? newestRelease));

function input(label: string, release: string, variables: { [name: string]: Plain } = {}): string {
  const [module = '', fileset = ''] = label.split('.');
  const made = tableFileset(module, fileset, variables, at(release));
  return made === undefined ? 'nothing' : JSON.stringify(made);
}

describe('a fileset without its files', () => {
  const rows: [label: string, release: string, expected: string, variables?: { [name: string]: Plain }][] = [
    ['netflow.log', '8.1.0', '{"type":"netflow","host":"localhost:2055"}'],
    ['netflow.log', '8.1.0', '{"type":"netflow","host":":9995"}', { netflow_host: '', netflow_port: 9995 }],
    ['barracuda.waf', '7.9.3', '{"type":"udp","host":"localhost:9503"}'],
    ['barracuda.waf', '7.17.16', '{"type":"udp","host":"localhost:9525"}'],
    ['barracuda.waf', '8.14.0', 'nothing'],
    ['barracuda.waf', '7.8.0', 'nothing'],
    ['pensando.dfw', 'newest', '{"type":"udp","host":"0.0.0.0:9001"}'],
    ['pensando.dfw', 'newest', '{}', { input: 'udp' }],
    ['cisco.asa', 'newest', '{"type":"udp","host":"localhost:9001"}', { input: 'syslog' }],
    ['cisco.asa', 'newest', '{"type":"UDP","host":"localhost:9001"}', { input: 'UDP' }],
    [
      'cisco.ios',
      'newest',
      '{"type":"syslog","protocol":{"tcp":{"host":"localhost:9002"}}}',
      { syslog_protocol: 'tcp' },
    ],
    ['cef.log', 'newest', '{"type":"syslog","protocol":{"udp":{"host":"localhost:9003"}}}', { syslog_protocol: 'tcp' }],
    ['cyberarkpas.audit', 'newest', '{"type":"tcp","host":"localhost:9301"}'],
    ['fortinet.firewall', 'newest', '{}', { input: 'syslog' }],
    ['checkpoint.firewall', '7.8.0', '{"type":"syslog","protocol":{"udp":{"host":"localhost:9001"}}}'],
    ['checkpoint.firewall', 'newest', '{"type":"tcp","host":"localhost:9001"}', { ssl: { enabled: false } }],
    ['haproxy.log', '6.8.23', '{"type":"log","paths":["/x"]}', { input: 'file', paths: ['/x'] }],
    ['nginx.access', 'newest', 'nothing'],
  ];
  for (const [label, release, expected, variables] of rows)
    test(`${label} of ${release} with ${JSON.stringify(variables ?? {})}`, () =>
      assert.equal(input(label, release, variables), expected));
});

test('modules come and go', () => {
  const rows: [string, string, boolean][] = [
    ['zscaler', '8.13.4', true],
    ['zscaler', '8.14.0', false],
    ['microsoft', '9.0.0', true],
    ['cyberark', '8.0.0', false],
    ['gsuite', '7.17.0', true],
    ['cef', '6.8.23', false],
    ['homemade', '9.0.0', true],
  ];
  for (const [module, release, known] of rows)
    assert.equal(knownModule(module, at(release)), known, `${module} ${release}`);
});

test('filesets of a module that stayed may have gone', () => {
  assert.deepEqual(tableFilesets('cisco', at('8.13.0')).names, ['asa', 'ftd', 'ios', 'meraki', 'nexus']);
  assert.deepEqual(tableFilesets('cisco', at('8.14.0')), { names: ['asa', 'ftd', 'ios'], gone: ['meraki', 'nexus'] });
});

test('filesets with a large script start late', () => {
  assert.deepEqual(['snort/log', 'sonicwall/firewall', 'cisco/asa'].map(slowFileset), [true, true, false]);
});
