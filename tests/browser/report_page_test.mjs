// The HTML report in a real browser.
// usage: report_page_test.mjs PGREHEARSE GOLDEN NODE_MODULES
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

const [program, golden, modules] = process.argv.slice(2);
const browserFile = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => existsSync(file));
if (!browserFile || !existsSync(join(modules, 'playwright-core'))) {
  console.error('chromium or playwright-core is missing; ci/setup --tests installs both');
  process.exit(process.env.PGREHEARSE_REQUIRE === 'all' ? 1 : 77);
}
const require = createRequire(join(modules, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(join(modules, 'axe-core', 'axe.min.js'), 'utf8');

let scratch;
let browser;
const pages = {};

// Stored runs, rendered by the program.
function render(name, record) {
  const id = `20261120T0300${String(Object.keys(pages).length).padStart(2, '0')}Z-1a2b3c4d`;
  const run = join(scratch, 'state', 'runs', 'weekly-orders', id);
  mkdirSync(run, { recursive: true });
  if (typeof record === 'string') copyFileSync(record, join(run, 'report.json'));
  else writeFileSync(join(run, 'report.json'), JSON.stringify(record));
  const file = join(scratch, `${name}.html`);
  execFileSync(program, ['report', id, '--state', join(scratch, 'state'), '--format', 'html', '--output', file]);
  pages[name] = `file://${file}`;
}

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'pgrehearse-browser-'));
  for (const name of ['passed', 'failed', 'killed', 'minimal']) render(name, join(golden, `report_${name}.json`));
  const large = JSON.parse(readFileSync(join(golden, 'report_passed.json'), 'utf8'));
  const command = large.commands[0];
  large.commands = Array.from({ length: 5000 }, (_, i) => (
    { ...command, command: `pgbackrest archive-get ${i}`, seconds: (i * 7919) % 5000 }));
  large.comparison.tables = Array.from({ length: 5000 }, (_, i) => (
    { ...large.comparison.tables[0], name: `shop.public.table ${i}`, expected: (i * 7919) % 5000, actual: (i * 7919) % 5000 }));
  render('large', large);
  browser = await chromium.launch({ executablePath: browserFile, args: ['--no-sandbox', '--disable-gpu'] });
});

after(async () => {
  await browser?.close();
  rmSync(scratch, { recursive: true, force: true });
});

// Open pages slow down the tests after them.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

async function open(name, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120000);
  const page = await context.newPage();
  page.requests = [];
  page.problems = [];
  page.on('request', (request) => page.requests.push(request.url()));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') page.problems.push(message.text()); });
  page.on('dialog', (dialog) => { page.problems.push(dialog.message()); dialog.dismiss(); });
  await page.goto(pages[name]);
  return page;
}

test('verdict and diagnosis come first', async () => {
  const page = await open('failed');
  assert.match(await page.locator('header').innerText(), /fail\s+weekly-orders/i);
  const text = await page.locator('main').innerText();
  assert.ok(text.indexOf('does not match its checksum') < text.indexOf('Key figures'));
  assert.match(text, /Likely cause\s+backup/);
  assert.equal(await page.locator('.check').first().getAttribute('open'), '');
});

test('no request leaves the page and no script fails', async () => {
  for (const name of Object.keys(pages)) {
    const page = await open(name);
    assert.deepEqual(page.requests, [pages[name]], name);
    assert.deepEqual(page.problems, [], name);
  }
});

test('everything can be read without JavaScript', async () => {
  const page = await open('failed', { javaScriptEnabled: false });
  assert.equal(await page.locator('.tools:visible').count(), 0);
  const landing = page.locator('.check', { hasText: 'landing' });
  assert.equal(await landing.locator('p').isVisible(), false);
  await landing.locator('summary').click();
  assert.equal(await landing.locator('p').isVisible(), true);
  assert.equal(await page.locator('svg.recovery rect').count() > 0, true);
});

test('the filter shows matching checks only', async () => {
  const page = await open('failed');
  const rows = page.locator('.check:visible');
  assert.equal(await rows.count(), 5);
  await page.getByLabel('Filter').first().fill('bestellungen');
  assert.equal(await rows.count(), 1);
  assert.match(await rows.innerText(), /row_counts/);
  await page.getByLabel('Filter').first().fill('');
  assert.equal(await rows.count(), 5);
});

test('all details can be expanded and collapsed', async () => {
  const page = await open('failed');
  await page.getByRole('button', { name: 'Expand all' }).click();
  assert.equal(await page.locator('.check[open]').count(), 5);
  await page.getByRole('button', { name: 'Collapse all' }).click();
  assert.equal(await page.locator('.check[open]').count(), 0);
});

test('the keyboard reaches and opens every check', async () => {
  const page = await open('passed');
  const seen = new Set();
  for (let i = 0; i < 40; ++i) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => document.activeElement.closest('.check')?.querySelector('.name').textContent);
    if (!name || seen.has(name)) continue;
    seen.add(name);
    await page.keyboard.press('Enter');
  }
  assert.equal(seen.size, 4);
  assert.equal(await page.locator('.check[open]').count(), 4);
});

for (const [list, column, words] of [['command-list', 2, 'archive-get 49'], ['table-list', 2, 'public.table 49']]) test(`5000 rows of ${list} are sorted and filtered within a second`, async () => {
  const page = await open('large');
  if (list === 'command-list') await page.locator('.commands summary').click();
  const first = page.locator(`#${list} tr:visible`).first();
  const seconds = await page.evaluate(async ([list, column, words]) => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const begin = performance.now();
    document.getElementById(list).closest('table').querySelectorAll('th button')[column].click();
    await frame();
    const input = document.querySelector(`[data-filter=${list}]`);
    input.value = words;
    input.dispatchEvent(new Event('input'));
    await frame();
    return (performance.now() - begin) / 1000;
  }, [list, column, words]);
  assert.equal(await page.locator(`#${list} tr:visible`).count(), 111);
  const shown = await page.locator(`#${list} tr:visible > :nth-child(3)`).evaluateAll((cells) => cells.map((cell) => Number(cell.dataset.value)));
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b));
  assert.ok((await first.innerText()).includes(words));
  console.log(`sorted and filtered 5000 rows in ${seconds.toFixed(2)} s`);
  assert.ok(seconds < (process.env.PGREHEARSE_THOROUGH ? 1 : 20), `${seconds} s`);
});

test('names from a database are shown and not interpreted', async () => {
  const page = await open('failed');
  assert.equal(await page.locator('red').count(), 0);
  assert.match(await page.locator('.findings').nth(1).innerText(), /\\x1b\[31m<red>&/);
});

test('dark mode follows the system', async () => {
  const color = async (colorScheme) => {
    const page = await open('passed', { colorScheme });
    return page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  };
  assert.notEqual(await color('light'), await color('dark'));
});

test('no accessibility violation', async () => {
  for (const name of Object.keys(pages).filter((page) => page !== 'large')) {
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [390, 1280]) {
        const page = await open(name, { colorScheme, viewport: { width, height: 900 } });
        await page.evaluate(() => { for (const details of document.querySelectorAll('details')) details.open = true; });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run());
        assert.deepEqual(violations.map((v) => [v.id, v.nodes[0].html]), [], `${name} ${colorScheme} ${width}`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${name} is ${overflow} px wider than ${width}`);
      }
    }
  }
});

test('a passed drill prints on two pages', async () => {
  const page = await open('passed');
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
  assert.ok(pdf.match(/\/Type\s*\/Page[^s]/g).length <= 2);
});
