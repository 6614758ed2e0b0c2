import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { createApp } from '../../src/exporter/server.js';
import type { Report } from '../../src/model/model.js';
import { needs } from '../support/needs.js';
import {
  hostileNames,
  instance,
  listener,
  many,
  port,
  report,
  running,
  socket,
  takenAt,
  troubled,
  watched,
} from '../support/report.js';
import { type Running, startServer } from '../support/web.js';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const needsChromium = needs('a chromium', () => executablePath !== undefined);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const hostile = (): Report => {
  const names = Object.values(hostileNames);
  return report({
    instances: names.map((name, i) => ({
      is: running(name, 100 + i, { config: name, unit: name }),
      ports: [
        port(9000, {
          address: name,
          input: name,
          up: i % 2 === 0,
          status: i % 2 === 0 ? 'listening' : 'missing',
          listeners: [listener(9000, { input: name, declaredIn: { file: name, line: 1 } })],
        }),
      ],
    })),
    mismatches: names.map((name) => ({
      code: 'port_missing',
      name,
      unit: name,
      protocol: 'udp',
      address: name,
      port: 9000,
      input: name,
      declaredIn: { file: name, line: 1 },
      cause: { kind: 'none' },
    })),
    snapshot: { gaps: names.map((name) => ({ reason: 'denied', subject: name, detail: name })) },
  });
};

const healthy = () =>
  report({
    instances: [
      { is: running('core'), ports: [port(9000), port(9001), port(9002, { protocol: 'tcp', input: 'tcp' })] },
      {
        is: running('edge', 200),
        ports: [port(514, { socket: socket(514, { owners: [{ pid: 200, startTicks: 5000, comm: 'filebeat' }] }) })],
      },
    ],
  });

const uncertain = () =>
  report({
    instances: [
      {
        is: running('core'),
        ports: [port(9000, { status: 'unknown' }), port(9001, { status: 'starting', up: false })],
      },
      { is: instance('lab', { hidden: true }), verdict: { up: undefined, healthy: undefined } as object },
    ],
    mismatches: [
      {
        code: 'queue_high',
        name: 'core',
        protocol: 'udp',
        address: '*',
        port: 9000,
        cause: { kind: 'queue', bytes: 200_000, limit: 212_992 },
      },
    ],
  });

/** A host with twelve Filebeats: too many ports for the diagram. */
const collector = (): Report => {
  const r = many(12, 24, 30);
  const last = r.verdict.instances.at(-1)!;
  last.healthy = false;
  last.ports = last.ports.map((p, i) => (i < 3 ? { ...p, status: 'starting', up: false } : p));
  const dead = instance('branch-offices', { unit: 'filebeat@branch-offices.service', origins: ['systemd'] });
  r.snapshot.instances.push(dead);
  r.verdict.instances.push({
    id: dead.id,
    up: false,
    healthy: false,
    pendingRestart: false,
    ports: Array.from({ length: 8 }, (_, i) => port(5140 + i, { up: false, status: 'instance_down' })),
  });
  return r;
};

/** `watched`, with a plain port that is not bound. */
const inTrouble = (): Report => {
  const r = watched();
  const plain = { code: 'static_port_down', protocol: 'udp', address: '*', port: 618, subject: 'filebeat' } as const;
  r.verdict.mismatches = [...r.verdict.mismatches, { ...plain, cause: { kind: 'none' }, since: takenAt - 240 }];
  return r;
};

const situations: Record<string, () => Report> = {
  healthy,
  troubled: inTrouble,
  uncertain,
  hostile,
  collector,
  many: () => many(500, 20, 300),
  nothing: report,
};

let browser: Browser | undefined;
let listening: Running;
let current: () => Report = troubled;
let answering = true;

before(async () => {
  const app = createApp({
    getReport: async () => {
      if (!answering) throw new Error('not now');
      return current();
    },
    isReady: () => true,
    routePrefix: '',
    telemetryPath: '/metrics',
    metrics: () => ({ version: '0.1.0', nodeVersion: 'v20.0.0', legacyPortMetric: false }),
    maxRequests: 0,
    hostFacts: async () => [['System', 'Debian GNU/Linux 12']],
  });
  listening = await startServer({ app });
  if (executablePath !== undefined) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

after(async () => {
  await browser?.close();
  await listening.close(0);
});

/** Opens a page; fails on any console error and on requests to other hosts. */
async function open(
  path: string,
  options: BrowserContextOptions,
  act: (page: Page, base: string) => Promise<void>,
  complaintsAllowed = false,
): Promise<void> {
  assert.ok(browser, 'there is a chromium');
  const base = listening.url;
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) =>
      message.type() === 'error' || message.type() === 'warning' ? complaints.push(message.text()) : undefined,
    );
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
    page.on('request', (request) =>
      /^(data:|http:\/\/127\.0\.0\.1:)/.test(request.url()) ? undefined : complaints.push(`request ${request.url()}`),
    );
    await page.goto(`${base}${path}`);
    await act(page, base);
    if (!complaintsAllowed) assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** Playwright's own waiting evaluates code inside the page, which the policy forbids; this polls from outside. */
async function until(page: Page, expression: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while ((await page.evaluate(`!!(${expression})`)) !== true) {
    assert.ok(Date.now() < deadline, `never: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Screenshots that need scrolling. */
const cutPictures = `[...document.querySelectorAll('.picture svg, .picture svg *, .map, .row a')].filter((e) => {
  const [own, room] = [e.getBoundingClientRect(), e.closest('.picture, .map').getBoundingClientRect()];
  return own.width > 0 && (own.left < room.left - 1 || own.right > room.right + 1);
}).map((e) => e.outerHTML.slice(0, 120))`;

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = (await page.evaluate('axe.run().then((r) => r.violations)')) as Violation[];
  return found
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .map((v) => `${v.id}: ${v.nodes[0]?.html.slice(0, 200)}`);
}

/** The screenshots that `UPDATE_SCREENSHOTS=docs/screenshots` writes. */
const folder = process.env['UPDATE_SCREENSHOTS'];
const screenshots: Record<string, { file: string; upTo?: string }> = {
  'troubled light /': { file: 'trouble', upTo: '#picture' },
  'troubled dark /': { file: 'trouble-dark' },
  'troubled phone /': { file: 'trouble-phone' },
  'troubled light /instances/core': { file: 'instance' },
  'healthy light /': { file: 'healthy' },
  'many light /': { file: 'many' },
  'collector light /': { file: 'map' },
};

for (const [name, make] of Object.entries(situations)) {
  for (const [look, options] of Object.entries({
    light: { colorScheme: 'light' },
    dark: { colorScheme: 'dark' },
    phone: { viewport: { width: 375, height: 800 }, isMobile: true },
  } satisfies Record<string, BrowserContextOptions>)) {
    test(
      `${name}, ${look}: no console error, no request to other hosts, no serious accessibility violation, no horizontal scrolling`,
      needsChromium,
      async () => {
        current = make;
        const first = make().snapshot.instances[0];
        const paths = [
          '/',
          ...(first === undefined || look === 'dark' ? [] : [`/instances/${encodeURIComponent(first.name)}`]),
        ];
        for (const path of paths) {
          await open(path, options, async (page) => {
            assert.deepEqual(await violations(page), []);
            const needed = Number(await page.evaluate('document.documentElement.scrollWidth'));
            const given = page.viewportSize()?.width ?? 0;
            assert.ok(needed <= given, `${path} needs ${needed} of ${given} pixels`);
            assert.deepEqual(await page.evaluate(cutPictures), [], 'no picture is cut');
            const { file, upTo = 'body' } = screenshots[`${name} ${look} ${path}`] ?? {};
            if (folder === undefined || file === undefined) return;
            mkdirSync(folder, { recursive: true });
            const last = (await page.locator(upTo).boundingBox())!;
            const width = Number(await page.evaluate('innerWidth'));
            const clip = { x: 0, y: 0, width, height: Math.min(Math.ceil(last.y + last.height), 2200) };
            await page.screenshot({ path: `${folder}/${file}.png`, fullPage: true, clip });
          });
        }
      },
    );
  }
}

test('without scripts everything is shown, and the filter works as a form', needsChromium, async () => {
  current = troubled;
  await open('/', { javaScriptEnabled: false }, async (page) => {
    assert.match((await page.textContent('h1')) ?? '', /1 of 3 instances down/);
    assert.equal(await page.locator('article.mismatch').count(), 3);
    assert.equal(await page.locator('.try button').count(), 0);
    await page.fill('#q', 'edge');
    await page.press('#q', 'Enter');
    await page.waitForURL(/q=edge/);
    assert.equal(await page.locator('#ports tbody tr').count(), 1);
    await page.click('#ports th:nth-child(2) a');
    await page.waitForURL(/q=edge.*ports=port/);
    assert.equal(await page.locator('#ports tbody tr').count(), 1);
  });
});

test('typing filters the tables and a click sorts them in place', needsChromium, async () => {
  current = troubled;
  await open('/', {}, async (page) => {
    await page.evaluate('window.kept = true');
    await page.fill('#q', 'core');
    await until(page, "document.querySelectorAll('#ports tbody tr').length === 3");
    await page.click('#ports th:nth-child(2) a');
    await until(page, "document.querySelector('#ports th[aria-sort]').textContent.startsWith('Endpoint')");
    assert.equal(await page.locator('#ports tbody tr').count(), 3);
    assert.equal(await page.evaluate('window.kept'), true);
    assert.match(page.url(), /q=core.*ports=port/);
  });
});

test('a refresh shows the new state and keeps folds, filter and scroll position', needsChromium, async () => {
  current = () => many(60, 20, 300);
  await open('/', {}, async (page) => {
    await page.clock.install();
    await page.reload();
    await page.click('#alike-port_missing-0 summary');
    await page.fill('#q', 'core-1');
    await page.clock.runFor(300);
    await until(page, "document.querySelector('#instances small').textContent.startsWith('11 of')");
    await page.evaluate('window.scrollTo(0, 700)');
    current = () => many(60, 20, 301);
    await page.clock.runFor(15_500);
    await until(page, "document.querySelector('h1').textContent.includes('301 of')");
    assert.equal(await page.locator('#alike-port_missing-0').getAttribute('open'), '');
    assert.equal(await page.inputValue('#q'), 'core-1');
    assert.equal(await page.evaluate('scrollY'), 700);
    assert.match((await page.textContent('#instances small')) ?? '', /^11 of/);
  });
});

test(
  'the page shows when the exporter stops answering and when it is back; the refresh can be paused',
  needsChromium,
  async () => {
    current = troubled;
    await open(
      '/',
      {},
      async (page) => {
        await page.clock.install();
        await page.reload();
        assert.equal(await page.isVisible('#lost'), false);
        answering = false;
        try {
          await page.clock.runFor(15_500);
          await page.waitForSelector('#lost', { state: 'visible' });
        } finally {
          answering = true;
        }
        await page.clock.runFor(15_500);
        await page.waitForSelector('#lost', { state: 'hidden' });
        await page.click('#refresh button');
        assert.match((await page.textContent('#refresh')) ?? '', /paused.*Resume/);
      },
      true,
    );
  },
);

test('a command can be copied', needsChromium, async () => {
  current = troubled;
  await open('/', { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
    await page.click('article:nth-of-type(2) .try button');
    await until(page, "document.querySelector('article:nth-of-type(2) .try button').textContent === 'Copied'");
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), 'systemctl restart filebeat@core.service');
  });
});

test('the keyboard reaches everything, beginning with a link past the header', needsChromium, async () => {
  current = troubled;
  await open('/', {}, async (page) => {
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the verdict');
    const seen = new Set<string>();
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press('Tab');
      seen.add(
        (await page.evaluate(
          "document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent",
        )) as string,
      );
    }
    for (const wanted of ['q', 'Copy', 'Command to try', 'Ports', 'Pause']) assert.ok(seen.has(wanted), wanted);
  });
});

test('the map of ports is one tab stop; arrows move between cells, Enter goes to the row', needsChromium, async () => {
  current = collector;
  await open('/', {}, async (page, base) => {
    const focused = () => page.evaluate("document.activeElement.getAttribute('title')");
    const map = await page.evaluate('document.querySelectorAll(\'.row a[tabindex="0"]\').length');
    assert.equal(map, 1);
    await page.locator('.row a').first().focus();
    assert.equal(await focused(), 'core-0 udp *:10000 missing');
    for (const [key, title] of Object.entries({
      ArrowRight: 'core-0 udp *:10001 missing',
      ArrowLeft: 'core-0 udp *:10000 missing',
      ArrowDown: /^(?!core-0 )/,
      ArrowUp: /^core-0 /,
      End: 'core-10 udp *:10263 listening',
      Home: 'core-0 udp *:10000 missing',
    })) {
      await page.keyboard.press(key);
      assert.match(
        String(await focused()),
        typeof title === 'string' ? new RegExp(`^${title.replace('*', '\\*')}$`) : title,
        key,
      );
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(`${base}/instances/core-0#udp-*-10000`);
    assert.equal(await page.locator('tr:target').count(), 1);
  });
});

test('without scripts, a link skips the map, and each of its named instances is a link', needsChromium, async () => {
  current = collector;
  await open('/', { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator('.named > a').count(), 13);
    assert.equal(await page.locator('.row a[tabindex="-1"]').count(), 12 * 24 + 8);
    await page.click('.row a.gone >> nth=2');
    await page.waitForURL(/instances\/branch-offices#udp-\*-5142/);
  });
});

test(
  'every port has a drawing of its history with a text alternative, and the journal folds old entries',
  needsChromium,
  async () => {
    current = () => {
      const r = watched();
      const failures = Array.from({ length: 40 }, (_, i) => ({
        at: takenAt - 3600 - i,
        kind: 'taken' as const,
        name: 'core',
        ports: [{ protocol: 'udp' as const, address: '*', port: 9000 + i }],
        count: 1,
        by: { pid: 1, startTicks: 1, comm: hostileNames.html },
      }));
      return { ...r, journal: { ...r.journal!, failures: [...failures, ...r.journal!.failures] } };
    };
    for (const javaScriptEnabled of [true, false])
      await open('/', { javaScriptEnabled }, async (page) => {
        const rows = page.locator('#ports tbody tr');
        assert.equal(await rows.locator('svg.spark[role=img]').count(), await rows.count());
        const words: (string | null)[] = [];
        for (const svg of await rows.locator('svg').all()) words.push(await svg.getAttribute('aria-label'));
        assert.ok(
          words.some((text) => /^40m: 225 datagrams dropped, queue up to 8\/8/.test(text ?? '')),
          String(words),
        );
        assert.ok(words.includes('40m: served all the time'));
        assert.equal(await page.locator('#journal > .scroll tbody tr').count(), 12);
        assert.equal(await page.isVisible('#older tbody tr:first-child'), false);
        await page.click('#older summary');
        assert.match((await page.textContent('#older tbody')) ?? '', /by pid 1 \(<script>/);
      });
  },
);
