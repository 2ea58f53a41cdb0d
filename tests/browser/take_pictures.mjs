// Takes the pictures in docs/pictures from stored drills: their HTML reports, and the pages of serve.
// usage: take_pictures.mjs PGREHEARSE STATE SCENARIO_DIRECTORY OUTPUT NODE_MODULES NAME=RUN...
// STATE and SCENARIO_DIRECTORY are those of a demo that was kept; a drill of its first scenario is run.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program, state, scenarios, output, modules, ...runs] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, 'package.json'))('playwright-core');
const scratch = mkdtempSync(join(tmpdir(), 'pgrehearse-pictures-'));
const views = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 800 } };
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

async function take(url, name, combinations, prepare = async () => {}) {
  for (const [color, view] of combinations) {
    const page = await (await browser.newContext({ viewport: views[view], colorScheme: color })).newPage();
    await page.goto(url);
    await prepare(page);
    // A report with thousands of lines is no picture: its beginning.
    const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), view === 'phone' ? 1600 : 1800);
    await page.setViewportSize({ width: views[view].width, height });
    await page.screenshot({ path: join(output, `${name}-${view}-${color}.png`) });
    await page.context().close();
  }
}
const both = [['light', 'desktop'], ['dark', 'phone']];
const all = [...both, ['dark', 'desktop'], ['light', 'phone']];

for (const run of runs) {
  const [name, id] = run.split('=');
  const file = join(scratch, `${name}.html`);
  execFileSync(program, ['report', id, '--state', state, '--format', 'html', '--output', file]);
  await take(`file://${file}`, `report-${name}`, name === 'pass' ? all : both);
  if (name !== 'pass') continue;
  const page = await browser.newPage();
  await page.goto(`file://${file}`);
  await page.pdf({ path: join(output, 'report-pass.pdf'), format: 'A4', preferCSSPageSize: true });
}

const server = spawn(program, ['serve', scenarios, '--state', state, '--listen', '127.0.0.1:0']);
let log = '';
process.on('exit', () => server.kill('SIGTERM'));
const site = await new Promise((resolve, reject) => {
  server.once('exit', () => reject(new Error(log)));
  server.stderr.on('data', (text) => {
    log += text;
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(log);
    if (found) resolve(found[0]);
  });
});
const headers = { Authorization: `Bearer ${readFileSync(join(state, 'serve', 'token'), 'utf8').trim()}`, 'Content-Type': 'application/json' };
let stanza;
for (let i = 0; i < 30 && !stanza; ++i) {
  await new Promise((done) => setTimeout(done, 1000));
  stanza = (await (await fetch(`${site}/api/v1/fleet`)).json()).stanzas.find((each) => each.next);
}
const { name: scenario } = (await (await fetch(`${site}/api/v1/stanzas/${encodeURIComponent(stanza.name)}`)).json()).schedule[0];
await fetch(`${site}/api/v1/scenarios/${encodeURIComponent(scenario)}/map`);
await take(`${site}/`, 'fleet', all, (page) => page.locator('#fleet tbody tr').first().waitFor());
await take(`${site}/stanzas/${encodeURIComponent(stanza.name)}`, 'stanza', both, (page) => page.waitForLoadState('networkidle'));
const { id } = await (await fetch(`${site}/api/v1/drills`, { method: 'POST', headers, body: JSON.stringify({ scenario }) })).json();
await new Promise((done) => setTimeout(done, 3500));
await take(`${site}/drills/${id}`, 'drill', both, (page) => page.locator('#phases tbody tr').nth(2).waitFor());
await browser.close();
rmSync(scratch, { recursive: true });
process.exit(0);
