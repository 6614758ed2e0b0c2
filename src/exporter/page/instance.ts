/** `/instances/:name`: one instance in full. */
import { html } from 'hono/html';
import type { Report } from '../../model.js';
import type { PageContext } from './home.js';

export { pagePolicy } from './home.js';

export function instancePage(report: Report, name: string, _context: PageContext): string | undefined {
  const found = report.snapshot.instances.find((i) => i.name === name);
  return found && String(html`<!doctype html><title>${found.name}</title><h1>${found.name}</h1>`);
}
