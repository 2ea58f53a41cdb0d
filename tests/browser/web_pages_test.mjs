// The web pages of `serve` in a real browser, and its web server under abuse.
// usage: web_pages_test.mjs FILL_LEDGER PGREHEARSE GOLDEN NODE_MODULES LABORATORY
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

const [fillLedger, program, golden, modules, laboratory] = process.argv.slice(2);
const browserFile = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => existsSync(file));
if (!browserFile || !existsSync(join(modules, 'playwright-core'))) {
  console.error('chromium or playwright-core is missing; ci/setup --tests installs both');
  process.exit(process.env.PGREHEARSE_REQUIRE === 'all' ? 1 : 77);
}
const require = createRequire(join(modules, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(join(modules, 'axe-core', 'axe.min.js'), 'utf8');
const token = 'token-of-the-test-0123456789';
const stanzas = 500;
const drills = 10000;

let scratch;
let browser;
let server;
let log = '';
let site;
let port;
const failedRun = '20261120T030000Z-1a2b3c4d';
const runningRun = '20261120T040000Z-1a2b3c4d';

const runDirectory = (scenario, id) => join(scratch, 'runs', scenario, id);
function store(id, change) {
  const record = JSON.parse(readFileSync(join(golden, 'report_failed.json'), 'utf8'));
  record.id = id;
  change(record);
  mkdirSync(runDirectory(record.scenario.name, id), { recursive: true });
  writeFileSync(join(runDirectory(record.scenario.name, id), 'report.json'), JSON.stringify(record));
}

before(async () => {
  // Thousands of small transactions: not on a disk.
  scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'pgrehearse-web-'));
  store(failedRun, () => {});
  store(runningRun, (record) => { record.scenario.name = 'running'; record.finished = null; record.phases = record.phases.slice(0, 3); });
  chmodSync(scratch, 0o755); // the account of the restored server passes through it
  execFileSync(fillLedger, [scratch, String(stanzas), String(drills)], { stdio: 'inherit' });
  const scenarios = join(scratch, 'scenarios');
  mkdirSync(scenarios);
  if (existsSync(laboratory)) {
    const { directory } = JSON.parse(readFileSync(laboratory, 'utf8'));
    const configuration = join(directory, 'laboratory', 'pgbackrest', 'pgbackrest.conf');
    writeFileSync(join(scenarios, 'demo.yaml'), `name: demo\nrepository: { stanza: demo, config: ${configuration} }\nchecks: [ databases ]\n`);
  }
  writeFileSync(join(scratch, 'token'), token, { mode: 0o600 });
  server = spawn(program, ['serve', scenarios, '--state', scratch, '--listen', '127.0.0.1:0', '--token-file', join(scratch, 'token')]);
  port = await new Promise((resolve, reject) => {
    server.stderr.on('data', (text) => {
      log += text;
      const found = /http:\/\/127\.0\.0\.1:(\d+)\//.exec(log);
      if (found) resolve(Number(found[1]));
    });
    server.once('exit', () => reject(new Error(`the server did not start: ${log}`)));
  });
  site = `http://127.0.0.1:${port}`;
  browser = await chromium.launch({ executablePath: browserFile, args: ['--no-sandbox', '--disable-gpu'] });
}, { timeout: 600000 });

after(async () => {
  await browser?.close();
  server?.kill('SIGTERM');
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

// Open pages slow down the tests after them.
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

async function open(path, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(120000);
  const page = await context.newPage();
  page.requests = [];
  page.problems = [];
  page.on('request', (request) => page.requests.push(request.url()));
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') page.problems.push(message.text()); });
  page.on('dialog', (dialog) => { page.problems.push(dialog.message()); dialog.dismiss(); });
  await page.goto(site + path);
  return page;
}
const ready = (page, selector) => page.locator(selector).first().waitFor({ timeout: 120000 });

function request(path, options = {}, body = undefined) {
  return new Promise((resolve, reject) => {
    const call = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }, (reply) => {
      let text = '';
      reply.on('data', (part) => { text += part; });
      reply.on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, text }));
      reply.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
const json = { 'Content-Type': 'application/json' };
const bearer = { Authorization: `Bearer ${token}` };

// A connection that sends `text` and returns what comes back.
function raw(text, milliseconds = 20000) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    let answer = '';
    const end = () => { socket.destroy(); resolve(answer); };
    socket.setTimeout(milliseconds, end);
    socket.on('data', (part) => { answer += part; });
    socket.on('close', end);
    socket.on('error', end);
    socket.write(text);
  });
}
const alive = async () => assert.equal((await request('/healthz')).status, 200);

test('the fleet page of 500 stanzas and 10000 drills is there at once', async () => {
  const fleet = await request('/api/v1/fleet', { headers: { 'Accept-Encoding': 'gzip, br' } });
  assert.equal(fleet.headers['content-encoding'], 'gzip');
  let best = Infinity;
  for (let i = 0; i < 5; ++i) {
    const begin = performance.now();
    assert.equal((await request('/')).status, 200);
    best = Math.min(best, performance.now() - begin);
  }
  const page = await open('/login'); // a browser that is open
  const begin = performance.now();
  await page.goto(site + '/');
  await ready(page, '#fleet tbody tr');
  const usable = performance.now() - begin;
  console.log(`fleet page: first byte ${best.toFixed(0)} ms, usable after ${usable.toFixed(0)} ms`);
  assert.equal(await page.locator('#fleet tbody tr').count(), stanzas + 2 + (existsSync(laboratory) ? 1 : 0));
  assert.ok(await page.locator('#fleet tbody tr:has(svg)').count() < stanzas, 'only visible rows are drawn');
  assert.ok(best < (process.env.PGREHEARSE_THOROUGH ? 100 : 5000));
  assert.ok(usable < (process.env.PGREHEARSE_THOROUGH ? 1000 : 60000));
  await page.getByLabel('Filter').fill('never proved');
  assert.equal(await page.locator('#fleet tbody tr:visible').count(), existsSync(laboratory) ? 12 : 11);
  assert.match(await page.locator('#fleet tbody tr:visible').first().innerText(), /never proved/);
});

test('no request leaves the site, no script fails, names are only text', async () => {
  for (const path of ['/', '/stanzas/stanza-003', `/drills/${failedRun}`, '/evidence', '/login']) {
    const page = await open(path);
    await page.waitForLoadState('networkidle');
    assert.deepEqual(page.problems, [], path);
    assert.deepEqual(page.requests.filter((url) => !url.startsWith(site)), [], path);
  }
  const page = await open('/');
  await ready(page, '#fleet tbody tr');
  assert.match(await page.title(), /^Stanzas/);
  const hostile = page.locator('#fleet tbody tr', { hasText: '<script>' });
  assert.match(await hostile.locator('th').innerText(), /<\/script>\\u001b\[31m\\u202e/);
  assert.equal(await page.locator('#fleet img, #fleet script').count(), 0);
});

test('five questions are answered with few clicks', async () => {
  let clicks = 0;
  const click = async (locator) => { ++clicks; await locator.click(); };
  const page = await open('/');
  await ready(page, '#fleet tbody tr');
  assert.match(await page.locator('#fleet tbody tr').first().innerText(), /never proved/);
  const answers = [['which stanza was never proved', clicks]];
  clicks = 0;
  const row = page.locator('#fleet tbody tr', { hasText: 'orders' }).last();
  await click(row.locator('.dots a.fail, a.badge.fail').first());
  await page.waitForURL('**/drills/*');
  assert.match(await page.locator('main').innerText(), /Likely cause/);
  answers.push(['why did that drill fail', clicks]);
  clicks = 0;
  await page.goto(site + '/');
  await ready(page, '#fleet tbody tr');
  assert.match(await page.locator('#fleet tbody tr', { hasText: 'stanza-003' }).innerText(), /about \d+ (min|s)/);
  answers.push(['how long would a restore take now', clicks]);
  clicks = 0;
  await click(page.locator('nav').getByText('Evidence'));
  await click(page.getByRole('button', { name: 'Last quarter' }));
  await page.waitForFunction(() => /^\d{4}-(01|04|07|10)-01 to/.test(document.getElementById('period').textContent));
  answers.push(['show an auditor last quarter', clicks]);
  console.log(answers.map(([question, count]) => `${question}: ${count}`).join('; '));
});

test('no accessibility violation on any page', async () => {
  for (const path of ['/?', '/stanzas/stanza-003', `/drills/${failedRun}`, `/drills/${runningRun}`, '/evidence', '/login']) {
    for (const [colorScheme, width] of [['light', 390], ['dark', 1280]]) {
      const page = await open(path, { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
      if (path === '/?') {
        await ready(page, '#fleet tbody tr');
        await page.evaluate(() => [...document.querySelectorAll('#fleet tbody tr')].slice(20).forEach((row) => row.remove()));
      } else {
        await page.waitForTimeout(1500);
      }
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run());
      assert.deepEqual(violations.map((v) => [v.id, v.nodes[0].html.slice(0, 200)]), [], `${path} ${colorScheme} ${width}`);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${path} is ${overflow} px wider than ${width}`);
      await page.context().close();
    }
  }
});

test('the keyboard reaches a drill from the fleet', async () => {
  const page = await open('/');
  await ready(page, '#fleet tbody tr');
  await page.getByLabel('Filter').focus();
  for (let i = 0; i < 3; ++i) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/(stanzas|drills)\//);
});

test('the page of a running drill follows it to its end', async () => {
  const page = await open(`/drills/${runningRun}`);
  await ready(page, '#phases tbody tr');
  const directory = runDirectory('running', runningRun);
  writeFileSync(join(directory, 'progress.json'), JSON.stringify({ id: runningRun, scenario: 'running', phase: 'restore', fraction: 0.4, detail: '2 GB of 4 GB, 20.0 MB/s', elapsed: 90, expected: 200, later_phases: 30, remaining: 165, at: '2026-11-20T04:01:30Z' }));
  await page.locator('#progress progress[value="0.4"]').waitFor();
  assert.match(await page.locator('#progress').innerText(), /restore 2 GB of 4 GB, 20.0 MB\/s, 1 min 30 s so far, expected 3 min 20 s, 2 min 45 s left/);
  store(runningRun, (record) => { record.scenario.name = 'running'; });
  await page.locator('header.banner.fail').waitFor({ timeout: 60000 });
});

test('starting a drill needs the token; the page follows a real drill', async (t) => {
  const refused = await request('/api/v1/drills', { method: 'POST', headers: json }, '{"scenario":"demo"}');
  assert.equal(refused.status, 401);
  const page = await open('/login');
  await page.getByLabel('Token').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('wrong token').waitFor();
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  await page.goto(`${site}/stanzas/demo`);
  if (!existsSync(laboratory)) return t.skip('no laboratory');
  const start = page.getByRole('button', { name: 'Start a drill' });
  await start.click();
  await page.waitForURL('**/drills/*', { timeout: 120000 });
  await page.locator('header.banner').waitFor({ timeout: 240000 }).catch(async () => {
    assert.fail(`no report: ${await page.locator('body').innerText()}\n${log.slice(-2000)}`);
  });
  assert.match(await page.locator('header.banner').getAttribute('class'), /pass/, await page.locator('main').innerText());
  assert.match(await page.locator('main').innerText(), /Recovered up to/);

  const id = new URL(page.url()).pathname.split('/').pop();
  const drill = JSON.parse((await request(`/api/v1/drills/${id}`)).text);
  let clicks = 0;
  await page.goto(site + '/');
  await ready(page, '#fleet tbody tr');
  await page.locator('#fleet th a', { hasText: /^demo$/ }).click();
  ++clicks;
  const check = async (time) => {
    await page.locator('#at').fill(time);
    await page.getByRole('button', { name: 'Check' }).click();
    ++clicks;
    const answer = page.locator('#at-answer').getByText(/recoverable/).first();
    await answer.waitFor({ timeout: 60000 });
    const text = await page.locator('#at-answer').innerText();
    await page.locator('#at-answer').evaluate((node) => node.replaceChildren());
    return text;
  };
  assert.match(await check(new Date(Date.parse(drill.landing.time) - 1).toISOString()), / is recoverable/);
  console.log(`is that time recoverable: ${clicks}`);
  assert.match(await check('2001-01-01 00:00+00'), / is not recoverable/);
});

test('cross-site requests, wrong tokens, unknown hosts and paths are refused and logged', async () => {
  const post = (headers, body = '{"scenario":"demo"}') => request('/api/v1/drills', { method: 'POST', headers: { ...json, ...headers } }, body);
  assert.equal((await post({ ...bearer, Origin: 'http://evil.example' })).status, 403);
  assert.equal((await post({ ...bearer, 'Sec-Fetch-Site': 'cross-site' })).status, 403);
  assert.equal((await post({ Authorization: 'Bearer wrong' })).status, 401);
  assert.equal((await post({ ...bearer, 'Content-Type': 'text/plain' })).status, 415);
  assert.equal((await post(bearer, '{"scenario":')).status, 400);
  assert.equal((await post({ ...bearer, 'Content-Encoding': 'gzip' })).status, 415);
  assert.equal((await request('/', { headers: { Host: 'evil.example' } })).status, 421);
  for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2fetc/passwd', '/drills/..%2f..%2fetc',
    `/drills/${failedRun}/files/..%2freport.json`, `/drills/${failedRun}/files/logs`, '/stanzas/a%2fb/c']) {
    const reply = await request(path);
    assert.equal(reply.status, 404, path);
    assert.ok(!reply.text.includes('root:'), path);
  }
  const file = await request(`/drills/${failedRun}/files/report.json`);
  assert.equal(JSON.parse(file.text).id, failedRun);
  const page = await request('/');
  assert.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
  assert.equal(page.headers['x-content-type-options'], 'nosniff');
  assert.match(log, /refused POST \/api\/v1\/drills from 127.0.0.1: the request comes from another site/);
  assert.match(log, /wrong token/);
  await alive();
});

test('large, slow and malformed requests end without harm', async () => {
  assert.equal((await request('/api/v1/drills', { method: 'POST', headers: { ...json, ...bearer } }, 'x'.repeat(40000))).status, 413);
  assert.equal((await request(`/${'a'.repeat(2000)}`)).status, 414);
  assert.equal((await request('/api/v1/drills', { method: 'POST', headers: { ...json, ...bearer, 'Transfer-Encoding': 'chunked' } }, '{}')).status, 411);
  for (const text of ['GET / HTTP/1.1\r\nHost: localhost\r\nX: ' + 'y'.repeat(200000), `GET /${'z'.repeat(100000)} HTTP/1.1\r\n\r\n`,
    'NONSENSE\r\n\r\n', '\0\x01\x02\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'POST /api/v1/drills HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=${'0-1,'.repeat(1900)}0-1\r\n\r\n`, 'GET / HTTP/1.1\r\nHost: localhost\r\n' + 'A: b\r\n'.repeat(20000) + '\r\n']) {
    const answer = await raw(text);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 200/, text.slice(0, 60));
    await alive();
  }
  const slow = await raw('GET / HTTP/1.1\r\nHost: local', 30000);
  assert.doesNotMatch(slow, /^HTTP\/1\.1 200/);
  assert.match(log, /request too slow/);
  await alive();
});

test('500 connections at once leave the server alive and its memory bounded', async () => {
  const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]);
  const begin = memory();
  const sockets = Array.from({ length: 500 }, () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n');
    return socket;
  });
  await new Promise((done) => setTimeout(done, 3000));
  const during = memory();
  let answered = false;
  for (let i = 0; i < 60 && !answered; ++i) {
    answered = await request('/healthz').then((reply) => reply.status === 200, () => false);
    if (!answered) await new Promise((done) => setTimeout(done, 1000));
  }
  for (const socket of sockets) socket.destroy();
  console.log(`memory: ${begin} kB before, ${during} kB with 500 connections`);
  assert.ok(answered, 'the server answers although all 500 connections are slow');
  assert.ok(during - begin < 64 * 1024, `${during - begin} kB`);
  assert.match(log, /too many connections/);
});

test('the API is as its description says', async () => {
  const description = JSON.parse((await request('/api/openapi.json')).text);
  const check = (schema, value, where) => {
    if (schema.$ref) return check(description.components.schemas[schema.$ref.split('/').pop()], value, where);
    for (const part of schema.allOf ?? []) check(part, value, where);
    for (const key of schema.required ?? []) assert.ok(value !== null && key in value, `${where}.${key} is missing`);
    for (const [key, inner] of Object.entries(schema.properties ?? {})) if (value && value[key] !== undefined && value[key] !== null) check(inner, value[key], `${where}.${key}`);
    if (schema.items && Array.isArray(value)) value.slice(0, 3).forEach((item, i) => check(schema.items, item, `${where}[${i}]`));
    return undefined;
  };
  for (const [path, url] of [['/api/v1/fleet', '/api/v1/fleet'], ['/api/v1/stanzas/{stanza}', '/api/v1/stanzas/stanza-003'],
    ['/api/v1/drills', '/api/v1/drills?limit=3'], ['/api/v1/drills/{id}', `/api/v1/drills/${failedRun}`], ['/api/v1/session', '/api/v1/session'], ['/healthz', '/healthz']]) {
    const reply = await request(url);
    assert.equal(reply.status, 200, url);
    check(description.paths[path].get.responses['200'].content['application/json'].schema, JSON.parse(reply.text), url);
  }
  const error = await request('/api/v1/drills?since=yesterday');
  assert.equal(error.status, 400);
  check(description.components.schemas.Error, JSON.parse(error.text), 'error');
});
