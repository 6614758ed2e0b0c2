/** The picture of a host or of one instance: two diagrams, of which the style shows the one that fits the screen. */
import { html } from 'hono/html';
import type { Report } from '../../../model/model.js';
import { plural } from '../../format.js';
import type { Html } from '../layout.js';
import { narrowPicture } from './narrow-picture.js';
import { pictureScene } from './picture-scene.js';
import { widePicture } from './wide-picture.js';

/** Undefined if there is nothing to draw. `only`: the name of one instance. */
export function picture(report: Report, only?: string): Html | undefined {
  const groups = pictureScene(report, only);
  if (groups.length === 0) return undefined;
  const bad = groups.flatMap((group) => group.rows).filter((row) => row.tone === 'bad').length;
  const text = `${bad === 0 ? 'Every port is linked to its process.' : `${plural(bad, 'link is', 'links are')} broken.`} The tables below have the same information.`;
  return html`<div class="picture">
${widePicture(groups, text)}
${narrowPicture(groups, text)}
</div>`;
}
