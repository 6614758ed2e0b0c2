// A reporter for node:test that lists skipped tests and the reason. If CI is set, a skipped test fails the run.
export default async function* skipped(events) {
  let count = 0;
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || (data.skip === undefined && data.todo === undefined)) continue;
    count++;
    yield `# not run: ${data.name}: ${data.skip || data.todo}\n`;
  }
  if (count > 0 && process.env.CI) {
    process.exitCode = 1;
    yield `# ${count} tests did not run, and CI is set\n`;
  }
}
