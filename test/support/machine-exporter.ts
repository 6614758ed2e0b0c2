/** The exporter as a service of a machine (`systemd.ts`), queried from inside its network namespace. */
import type { Machine } from './systemd.js';
import { readScrape, type Scrape } from './text-format.js';

/** Retries until something listens, for at most twenty seconds; prints the status, then the body. */
const asker = `
const [url, headers] = process.argv.slice(2);
const deadline = Date.now() + 20_000;
const ask = () => fetch(url, { headers: JSON.parse(headers) }).catch((error) => {
  if (error.cause?.code !== 'ECONNREFUSED' || Date.now() > deadline) throw error;
  return new Promise((resolve) => setTimeout(resolve, 50)).then(ask);
});
ask().then(async (answer) => process.stdout.write(answer.status + '\\n' + (await answer.text())));
`;

export function getInside(
  machine: Machine,
  url: string,
  headers: Record<string, string> = {},
): { status: number; body: string } {
  machine.write('/srv/ask.mjs', asker);
  const said = machine.sh(`node /srv/ask.mjs '${url}' '${JSON.stringify(headers)}'; echo .`);
  const end = said.indexOf('\n');
  return { status: Number(said.slice(0, end)), body: said.slice(end + 1, -1) };
}

export function scrapeMachine(machine: Machine, origin = 'http://127.0.0.1:9117'): Scrape {
  const { status, body } = getInside(machine, `${origin}/metrics`);
  if (status !== 200) throw new Error(`/metrics answered ${status}: ${body.slice(0, 200)}`);
  return readScrape(body);
}
