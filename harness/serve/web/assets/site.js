// The pages of `pgrehearse serve`. They show what the JSON API returns; names are only ever text.
'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const verdictWord = { pass: 'pass', fail: 'FAIL', unknown: 'unknown', skipped: 'skipped' };

  // Control characters and marks that reorder the text become visible; long names are cut.
  function shown(text, most = 300) {
    const safe = String(text ?? '').replace(
      /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
    return safe.length > most ? safe.slice(0, most) + '\u2026' : safe;
  }

  function element(name, attributes = {}, ...children) {
    const node = name === 'svg' || name === 'polyline' || name === 'line' || name === 'title'
      ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? '' : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  const time = (iso) => iso ? iso.slice(0, 16).replace('T', ' ') + ' UTC' : '';
  function duration(seconds) {
    if (seconds === null || seconds === undefined) return '';
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 60) return `${seconds.toFixed(1)} s`;
    const whole = Math.round(seconds);
    const parts = whole < 3600 ? [[Math.floor(whole / 60), 'min'], [whole % 60, 's']]
      : whole < 86400 ? [[Math.floor(whole / 3600), 'h'], [Math.floor(whole % 3600 / 60), 'min']]
        : [[Math.floor(whole / 86400), 'd'], [Math.floor(whole % 86400 / 3600), 'h']];
    return parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(' ');
  }
  function bytes(count) {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let unit = 0;
    while (count >= 1024 && unit + 1 < units.length) { count /= 1024; ++unit; }
    return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
  }
  const age = (iso, now) => duration((Date.parse(now) - Date.parse(iso)) / 1000);
  const drillLink = (id) => `/drills/${encodeURIComponent(id)}`;
  const stanzaLink = (name) => `/stanzas/${encodeURIComponent(name)}`;
  const badge = (verdict, id) => id
    ? element('a', { class: `badge ${verdict}`, href: drillLink(id) }, verdictWord[verdict] ?? shown(verdict))
    : element('span', { class: `badge ${verdict}` }, verdictWord[verdict] ?? shown(verdict));

  function notice(text, fail = true) {
    $('notice').textContent = shown(text, 1000);
    $('notice').classList.toggle('fail', fail);
    $('notice').hidden = false;
  }

  async function api(path, options) {
    const reply = await fetch(path, { headers: { Accept: 'application/json' }, ...options });
    if (reply.status === 401 && document.body.dataset.page !== 'login') {
      location.assign('/login?to=' + encodeURIComponent(location.pathname + location.search));
      throw new Error('a token is needed');
    }
    const json = await reply.json().catch(() => ({}));
    if (!reply.ok) {
      const { message, hint } = json.error ?? {};
      throw new Error((message ?? `status ${reply.status}`) + (hint ? `; ${hint}` : ''));
    }
    return json;
  }
  const post = (path, body) => api(path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

  // A line of values over time, with the objective as a dashed line.
  function spark(points, objective, label, large = false) {
    const known = points.filter(([, value]) => value !== null);
    if (known.length < 2) return null;
    const first = Date.parse(known[0][0]);
    const length = Date.parse(known.at(-1)[0]) - first || 1;
    const highest = Math.max(objective ?? 0, ...known.map(([, value]) => value)) || 1;
    const y = (value) => (38 - value / highest * 36).toFixed(1);
    const line = known.map(([at, value]) => `${((Date.parse(at) - first) / length * 100).toFixed(1)},${y(value)}`).join(' ');
    const svg = element('svg', {
      class: large ? 'spark large' : 'spark', viewBox: '0 0 100 40', preserveAspectRatio: 'none', role: 'img',
      'aria-label': `${label}: ${known.length} drills, from ${duration(known[0][1])} to ${duration(known.at(-1)[1])}${objective ? `, objective ${duration(objective)}` : ''}` });
    if (objective) svg.append(element('line', { class: 'objective', x1: 0, x2: 100, y1: y(objective), y2: y(objective) }));
    svg.append(element('polyline', { points: line }));
    return svg;
  }

  function objectiveText({ measured, objective }) {
    if (measured === null) return objective === null ? '' : `not measured (objective ${duration(objective)})`;
    return objective === null ? duration(measured) : `${duration(measured)} of ${duration(objective)}`;
  }
  const missed = ({ measured, objective }) => measured !== null && objective !== null && measured > objective;

  function forecastText(forecast) {
    if (forecast.seconds === null) return 'unknown';
    return `about ${duration(forecast.seconds)}`;
  }
  function growthText({ exceeded, earliest, latest }) {
    if (!exceeded) return '';
    return `RTO exceeds its objective about ${exceeded.slice(0, 10)} (${earliest.slice(0, 10)} to ${latest ? latest.slice(0, 10) : 'later than in ten years'})`;
  }

  function history(stanza) {
    const recent = stanza.history.slice(-14);
    if (recent.length === 0) return null;
    return element('div', { class: 'dots' }, ...recent.map(([at, verdict, , , id]) => element('a', {
      class: verdict, href: drillLink(id), title: `${at.slice(0, 10)} ${weekday(at)}: ${verdict}`,
      'aria-label': `drill of ${weekday(at)} ${at.slice(0, 10)}: ${verdict}` })));
  }
  const weekday = (iso) => ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][new Date(iso).getUTCDay()];

  // Broken between the date and the time only.
  const moment = (iso) => element('span', {}, element('span', { class: 'nowrap' }, time(iso).slice(0, 10)), time(iso).slice(10).replace(' UTC', '\u00a0UTC'));

  // --- the fleet ---
  function fleetRow(stanza, now) {
    const cell = (...children) => element('td', {}, ...children);
    const last = stanza.running ? cell(element('a', { class: 'badge running', href: drillLink(stanza.running.id) }, 'running'))
      : stanza.last ? cell(badge(stanza.last.verdict, stanza.last.id), ' ', moment(stanza.last.started)) : cell(element('span', { class: 'quiet' }, 'none'));
    if (stanza.last && stanza.last.verdict !== 'pass') last.append(element('div', { class: 'small' }, shown(stanza.last.diagnosis, 160)));
    last.append(element('div', { class: 'dots' }));
    const proof = stanza.last_pass ? cell(`${age(stanza.last_pass.started, now)} ago`) : cell(element('span', { class: 'none' }, 'never proved'));
    const objective = (value) => element('td', missed(value) ? { class: 'fail' } : {}, objectiveText(value));
    const growth = growthText(stanza.restore_now);
    const covered = stanza.coverage.backups === null ? `${stanza.coverage.proved}` : `${stanza.coverage.proved} of ${stanza.coverage.backups}`;
    const row = element('tr', {},
      element('th', { scope: 'row' }, element('a', { href: stanzaLink(stanza.name) }, element('bdi', {}, shown(stanza.name)))),
      last, proof, objective(stanza.rto), objective(stanza.rpo),
      cell(forecastText(stanza.restore_now), growth ? element('div', { class: 'small unknown' }, growth) : null),
      cell(covered), cell(stanza.next ? moment(stanza.next) : element('span', { class: 'quiet' }, 'not scheduled')));
    row.draw = () => {
      last.querySelector('.dots').replaceWith(history(stanza) ?? '');
      for (const [column, index, value, label] of [[3, 2, stanza.rto, 'RTO'], [4, 3, stanza.rpo, 'RPO']]) {
        row.cells[column].append(spark(stanza.history.map((point) => [point[0], point[index]]), value.objective, label) ?? '');
      }
    };
    row.words = `${stanza.name} ${stanza.scenarios.join(' ')} ${stanza.last?.verdict ?? 'none'} ${stanza.last_pass ? '' : 'never proved'} ${stanza.last?.diagnosis ?? ''}`.toLowerCase();
    return row;
  }

  // Thousands of small drawings take seconds: each is drawn when its row comes near the window.
  const drawn = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    drawn.unobserve(target);
    target.draw();
  }), { rootMargin: '600px' });
  const drawAll = () => [...$('fleet').tBodies[0].rows].filter((row) => row.querySelector('.dots:empty')).forEach((row) => row.draw());

  function applyFilter() {
    const words = $('filter').value.toLowerCase();
    const rows = [...$('fleet').tBodies[0].rows];
    let count = 0;
    for (const row of rows) { row.hidden = !row.words.includes(words); count += row.hidden ? 0 : 1; }
    $('shown').textContent = words ? `${count} of ${rows.length}` : '';
  }

  async function showFleet() {
    const fleet = await api('/api/v1/fleet');
    const count = (test) => fleet.stanzas.filter(test).length;
    $('counts').replaceChildren(...[
      [fleet.stanzas.length === 1 ? 'stanza' : 'stanzas', fleet.stanzas.length, ''],
      ['never proved', count((s) => !s.last_pass), 'fail'],
      ['failed last', count((s) => s.last?.verdict === 'fail'), 'fail'],
      ['unknown last', count((s) => s.last?.verdict === 'unknown'), 'unknown'],
      ['passed last', count((s) => s.last?.verdict === 'pass'), 'pass'],
      ['running', count((s) => s.running), 'running']].map(([label, number, kind]) =>
      element('span', {}, element('strong', number > 0 && kind ? { class: kind } : {}, String(number)), ` ${label}`)));
    $('errors').replaceChildren(...fleet.errors.map((error) => element('p', { class: 'notice fail' },
      shown(error.messages.join('; '), 600), error.in_force ? ` (the previous version of ${shown(error.in_force)} stays in force)` : '')));
    $('fleet').tBodies[0].replaceChildren(...fleet.stanzas.map((stanza) => fleetRow(stanza, fleet.at)));
    drawn.disconnect();
    for (const row of $('fleet').tBodies[0].rows) drawn.observe(row);
    applyFilter();
  }

  // --- a stanza ---
  function drillRow(drill) {
    const cell = (...children) => element('td', {}, ...children);
    return element('tr', {},
      element('th', { scope: 'row' }, element('a', { href: drillLink(drill.id) }, `${time(drill.started)}, ${weekday(drill.started)}`)),
      cell(drill.state === 'running' ? badge('running', drill.id) : badge(drill.verdict)), cell(element('bdi', {}, shown(drill.scenario))),
      cell(objectiveText(drill.rto)), cell(objectiveText(drill.rpo)), cell(shown(drill.diagnosis, 300)));
  }

  function summaryOf(stanza, now, session) {
    const facts = element('dl', {});
    const add = (label, ...value) => facts.append(element('dt', {}, label), element('dd', {}, ...value));
    add('Last drill', ...(stanza.last ? [badge(stanza.last.verdict, stanza.last.id), ` ${time(stanza.last.started)} `, shown(stanza.last.diagnosis)] : ['none']));
    add('Last proof', stanza.last_pass ? `${age(stanza.last_pass.started, now)} ago` : element('span', { class: 'none' }, 'never proved'));
    const forecast = stanza.restore_now;
    add('A restore now takes', forecast.seconds === null ? `unknown: ${forecast.basis}`
      : `about ${duration(forecast.seconds)} (${duration(forecast.low)} to ${duration(forecast.high)}), from ${forecast.basis}`);
    if (growthText(forecast)) add('Forecast', element('span', { class: 'unknown' }, growthText(forecast)));
    add('Backups proved', stanza.coverage.backups === null ? String(stanza.coverage.proved) : `${stanza.coverage.proved} of ${stanza.coverage.backups}`);
    for (const scenario of stanza.schedule) {
      const start = element('button', { type: 'button', class: 'start' }, 'Start a drill');
      start.addEventListener('click', () => startDrill(scenario.name, start));
      add(element('bdi', {}, shown(scenario.name)),
        scenario.running ? element('a', { href: drillLink(scenario.running) }, 'running') : scenario.next ? `next drill ${time(scenario.next)}` : 'not scheduled',
        scenario.waiting_for ? ` (waiting: ${shown(scenario.waiting_for)})` : '', ' ',
        scenario.running || session.read_only ? null : session.can_start ? start : element('a', { href: '/login?to=' + encodeURIComponent(location.pathname) }, 'Sign in to start a drill'));
    }
    return element('section', { 'aria-label': 'Summary' }, facts);
  }

  async function startDrill(scenario, button) {
    button.disabled = true;
    try {
      const { id } = await post('/api/v1/drills', { scenario });
      location.assign(drillLink(id));
    } catch (error) {
      notice(error.message);
      button.disabled = false;
    }
  }

  function instantOf(text) {
    const trimmed = text.trim().replace('T', ' ');
    return /([zZ]|UTC|[+-]\d{2}(:?\d{2})?)$/.test(trimmed.slice(10)) ? trimmed : `${trimmed}+00`;
  }

  function answerOf(answer) {
    const kind = answer.recoverable === null ? 'unknown' : answer.recoverable ? 'pass' : 'fail';
    const word = answer.recoverable === null ? 'may be recoverable: unknown' : answer.recoverable ? 'is recoverable' : 'is not recoverable';
    const box = element('div', { class: `answer ${kind}` }, element('p', {}, `${answer.at.slice(0, 19).replace('T', ' ')} UTC `, element('strong', {}, word)));
    const line = (text) => box.append(element('p', {}, text));
    if (answer.reason) line(`Reason: ${shown(answer.reason)}`);
    if (answer.backup) line(`Backup: ${shown(answer.backup.label)} (${answer.backup.type}, ${bytes(answer.backup.bytes)}), ended ${time(answer.backup.stop)}`);
    if (answer.wal) line(`WAL: about ${answer.wal.segments} segments (${bytes(answer.wal.bytes)}) on timeline ${answer.wal.timeline}`);
    if (answer.recoverable) line(`Expected duration: ${answer.expected_seconds === null ? 'unknown' : 'about ' + duration(answer.expected_seconds)}`);
    if (answer.recoverable_before) line(`Recoverable until ${time(answer.recoverable_before)}`);
    if (answer.recoverable_after) line(`Recoverable again from ${time(answer.recoverable_after)}`);
    return box;
  }

  async function showStanza() {
    const name = decodeURIComponent(location.pathname.split('/')[2]);
    $('title').textContent = shown(name);
    document.title = `${shown(name, 60)} - pgrehearse`;
    const path = `/api/v1/stanzas/${encodeURIComponent(name)}`;
    const [stanza, session, { drills }] = await Promise.all([
      api(path), api('/api/v1/session'), api(`/api/v1/drills?stanza=${encodeURIComponent(name)}&limit=200`)]);
    $('drills').tBodies[0].replaceChildren(...drills.map(drillRow));
    const chart = (label, index, value) => {
      const line = spark(stanza.history.map((point) => [point[0], point[index]]), value.objective, label, true);
      return element('div', {}, element('p', {}, `${label}: ${objectiveText(value) || 'not measured'}`), line ?? element('p', { class: 'quiet' }, 'fewer than two drills measured it'));
    };
    $('trends').replaceChildren(element('div', { class: 'pair' }, chart('RTO', 2, stanza.rto), chart('RPO', 3, stanza.rpo)));
    const showProofs = ({ coverage, never_proved: never, ...facts }) => {
      $('summary').replaceChildren(summaryOf({ coverage, ...facts }, new Date().toISOString(), session));
      $('never').replaceChildren(coverage.backups === null
        ? element('p', { class: 'quiet' }, 'not known: the repository has not been listed yet')
        : never.length === 0 ? element('p', {}, 'Every backup in the repository was restored by a drill that passed.')
          : element('ul', {}, ...never.map((label) => element('li', {}, element('code', {}, shown(label))))));
    };
    showProofs(stanza);
    const scenario = stanza.schedule[0]?.name ?? stanza.scenarios[0];
    if (stanza.schedule.length === 0) {
      $('at-answer').textContent = 'This server has no scenario of the stanza; run pgrehearse map --at in a terminal.';
      $('map').textContent = 'This server has no scenario of the stanza.';
      return;
    }
    const base = `/api/v1/scenarios/${encodeURIComponent(scenario)}`;
    $('at-form').hidden = false;
    $('at-form').addEventListener('submit', async (event) => {
      event.preventDefault();
      $('at-answer').textContent = 'Reading the repository\u2026';
      try {
        $('at-answer').replaceChildren(answerOf(await api(`${base}/recoverable?at=${encodeURIComponent(instantOf($('at').value))}`)));
      } catch (error) { $('at-answer').textContent = shown(error.message); }
    });
    const image = element('img', { alt: `Recovery map of stanza ${shown(name)}; the same as text: pgrehearse map`, src: `${base}/map.svg` });
    image.addEventListener('error', () => { $('map').textContent = 'The map could not be drawn; run pgrehearse map in a terminal.'; });
    $('map').replaceChildren(image);
    // The map lists the backups.
    if (stanza.coverage.backups === null) api(`${base}/map`).then(() => api(path)).then(showProofs).catch(() => {});
  }

  // --- a drill that runs, or whose files are on another host ---
  function showLive(state, session) {
    $('title').textContent = shown(state.scenario);
    document.title = `${shown(state.scenario, 60)} - pgrehearse`;
    $('verdict').replaceChildren(badge(state.finished ? state.verdict : 'running'), ` started ${time(state.started)} `, shown(state.finished ? state.diagnosis : ''));
    const running = state.running;
    const box = element('div', {});
    if (running) {
      const parts = [running.detail, running.elapsed !== null ? `${duration(running.elapsed)} so far` : '',
        running.expected !== null ? `expected ${duration(running.expected)}` : '',
        running.remaining !== null ? `${duration(running.remaining)} left` : ''].filter(Boolean);
      box.append(element('p', {}, element('strong', {}, shown(running.name)), ` ${parts.map((part) => shown(part)).join(', ')}`),
        element('progress', running.fraction === null ? { 'aria-label': running.name } : { max: 1, value: running.fraction, 'aria-label': running.name }));
    }
    if (!state.finished && session.can_start) {
      const stop = element('button', { type: 'button', class: 'stop' }, 'Stop this drill');
      stop.addEventListener('click', async () => {
        stop.disabled = true;
        try { await post(`/api/v1/drills/${encodeURIComponent(state.id)}/stop`, {}); } catch (error) { notice(error.message); }
      });
      box.append(element('p', {}, stop));
    }
    const focused = document.activeElement?.classList.contains('stop');
    $('progress').replaceChildren(box);
    if (focused) box.querySelector('button.stop')?.focus();
    $('phases').tBodies[0].replaceChildren(...state.phases.map((phase) => element('tr', {},
      element('th', { scope: 'row' }, shown(phase.name)), element('td', { class: 'number' }, phase.completed ? duration(phase.seconds) : running ? 'running' : 'not done'),
      element('td', {}, phase.bytes === null ? '' : `${bytes(phase.bytes)}${phase.seconds >= 1 ? `, ${bytes(phase.bytes / phase.seconds)}/s` : ''}`))));
  }

  async function showDrill() {
    const id = decodeURIComponent(location.pathname.split('/')[2]);
    $('title').textContent = id;
    const path = `/api/v1/drills/${encodeURIComponent(id)}`;
    const [drill, session] = await Promise.all([api(path), api('/api/v1/session')]);
    const add = (label, value) => { if (value) $('facts').append(element('dt', {}, label), element('dd', {}, shown(value))); };
    add('Run', id); add('Stanza', drill.stanza); add('Host', drill.host); add('Started by', drill.operator); add('Backup', drill.backup?.label);
    if (drill.state === 'starting') {
      $('verdict').textContent = 'The drill is starting\u2026';
      setTimeout(() => location.reload(), 1000);
      return;
    }
    if (!drill.live) {
      $('title').textContent = shown(drill.scenario);
      $('verdict').replaceChildren(badge(drill.verdict), ` ${time(drill.started)} `, shown(drill.diagnosis));
      add('Recovered to', [time(drill.landing.time), drill.landing.lsn].filter(Boolean).join(', '));
      add('RTO', objectiveText(drill.rto)); add('RPO', objectiveText(drill.rpo));
      notice(`The report of this drill is on host ${shown(drill.host)}.`, false);
      if (drill.state === 'running') setTimeout(() => location.reload(), 5000);
      $('phases').tBodies[0].replaceChildren(...(drill.phases ?? []).map((phase) => element('tr', {},
        element('th', { scope: 'row' }, shown(phase.name)), element('td', { class: 'number' }, duration(phase.seconds)), element('td', {}, phase.bytes === null ? '' : bytes(phase.bytes)))));
      return;
    }
    showLive(drill.live, session);
    if (drill.live.finished || drill.state === 'killed') return;
    const events = new EventSource(`${path}/events`);
    events.addEventListener('progress', (event) => showLive(JSON.parse(event.data), session));
    events.addEventListener('end', (event) => {
      events.close();
      showLive(JSON.parse(event.data), session);
      setTimeout(() => location.reload(), 1500);
    });
  }

  // --- evidence for an auditor ---
  const day = (date) => date.toISOString().slice(0, 10);
  function lastQuarter(now) {
    const begin = new Date(Date.UTC(now.getUTCFullYear(), Math.floor(now.getUTCMonth() / 3) * 3 - 3, 1));
    return [day(begin), day(new Date(Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + 3, 1)))];
  }
  async function showEvidence(since, until) {
    $('since').value = since;
    $('until').value = until;
    const { drills, limit } = await api(`/api/v1/drills?since=${since}T00:00:00Z&until=${until}T00:00:00Z&limit=1000`);
    const finished = drills.filter((drill) => drill.state !== 'running');
    const count = (verdict) => finished.filter((drill) => drill.verdict === verdict).length;
    const stanzas = new Set(finished.filter((drill) => drill.verdict === 'pass').map((drill) => drill.stanza));
    $('period').textContent = `${since} to ${until} (exclusive), UTC`;
    $('summary').replaceChildren(element('p', { class: 'counts' }, ...[['drills', finished.length], ['passed', count('pass')], ['failed', count('fail')],
      ['unknown', count('unknown')], ['stanzas proved', stanzas.size]].map(([label, number]) => element('span', {}, element('strong', {}, String(number)), ` ${label}`))),
    drills.length === limit ? element('p', { class: 'notice' }, `Only the newest ${limit} drills are shown; choose a shorter period.`) : null);
    $('evidence').tBodies[0].replaceChildren(...finished.map((drill) => {
      const cell = (...children) => element('td', {}, ...children);
      return element('tr', {}, element('th', { scope: 'row' }, element('a', { href: drillLink(drill.id) }, time(drill.started))), cell(element('bdi', {}, shown(drill.stanza))),
        cell(badge(drill.verdict)), cell([time(drill.landing.time), drill.landing.lsn].filter(Boolean).join(', ')), cell(objectiveText(drill.rto)), cell(objectiveText(drill.rpo)),
        cell(drill.comparison), cell(shown(drill.operator)), cell(element('code', { class: 'small' }, drill.record_sha256)));
    }));
  }

  const pages = {
    fleet: async () => {
      $('filter').addEventListener('input', applyFilter);
      addEventListener('beforeprint', drawAll);
      await showFleet();
      setInterval(() => { if (!document.hidden) showFleet().catch((error) => notice(error.message)); }, 15000);
    },
    stanza: showStanza,
    drill: showDrill,
    evidence: async () => {
      const now = new Date();
      const show = (range) => showEvidence(...range).catch((error) => notice(error.message));
      $('range').addEventListener('submit', (event) => { event.preventDefault(); show([$('since').value, $('until').value]); });
      $('quarter').addEventListener('click', () => show(lastQuarter(now)));
      $('print').addEventListener('click', () => window.print());
      await show([day(new Date(now - 90 * 86400000)), day(new Date(now.getTime() + 86400000))]);
    },
    login: async () => {
      $('login').addEventListener('submit', async (event) => {
        event.preventDefault();
        try {
          await post('/api/v1/session', { token: $('token').value });
          const to = new URLSearchParams(location.search).get('to') ?? '/';
          location.assign(/^\/(?![\/\\])/.test(to) ? to : '/');
        } catch (error) { notice(error.message); }
      });
    },
  };

  async function showUser() {
    const session = await api('/api/v1/session');
    if (session.user) {
      const out = element('button', { type: 'button' }, 'Sign out');
      out.addEventListener('click', async () => { await api('/api/v1/session', { method: 'DELETE', headers: { 'Content-Type': 'application/json' } }); location.assign('/'); });
      $('user').replaceChildren(`signed in as ${shown(session.user)} `, out);
    } else {
      $('user').replaceChildren(session.read_only ? 'read-only' : element('a', { href: '/login' }, 'Sign in'));
    }
  }

  showUser().catch(() => {});
  pages[document.body.dataset.page]().catch((error) => notice(error.message));
})();
