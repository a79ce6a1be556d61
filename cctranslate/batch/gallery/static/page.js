'use strict';
// Data only ever becomes text, an attribute or a picture here: file names are anybody's.

const EMOTIONS = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];
const CARD = 232, GAP = 8, SPARE = 2;  // pixels a card at least, between cards; lines beyond the window
const LARGE = 1e6;  // pixels: such pictures are loaded once scrolling rests
const $ = (id) => document.getElementById(id);
const run = JSON.parse($('run').textContent);
const rows = JSON.parse($('faces').textContent).flatMap(unpack);
let pictures = null;  // parsed when the first one is shown
let view = rows, current = 0, blinking = false;

function unpack([source, face, faces, link, box, width, height, label, read, results]) {
  const own = {source, face, faces, link, box, width, height, label, read, name: source.toLowerCase()};
  return results.map(([target, variant, status, output, predicted, confirmed, confidence, reason, p]) =>
    ({own, target, variant, status, output, predicted, confirmed, confidence, reason, p}));
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const percent = (share) => share === null ? '' : `${(share * 100).toFixed(1)}%`;
const whole = (number) => number.toLocaleString('en');
const some = (number, word) => `${whole(number)} ${word}${number === 1 ? '' : 's'}`;

// What is said of a row.

const title = (row) => row.target ? `to ${row.target}${row.variant}` : row.status;
const subject = ({source, face, faces}) => faces > 1 ? `${source}, face ${face} of ${faces}` : source;
const tail = (path) => path.split(run.separator).slice(-2).join(run.separator);
const outcome = (row) => row.status !== 'done' ? row.status : row.confirmed ? 'confirmed' : 'denied';
const WORDS = {confirmed: 'confirmed', denied: 'not confirmed', skipped: 'skipped', failed: 'failed'};

function verdict(row) {
  if (row.status !== 'done') return `${row.status}: ${row.reason}`;
  return `${row.confirmed ? '✓' : '✗'} judge: ${row.predicted} ${percent(row.confidence)}`;
}

// Pictures: a link, the number of one that is in the page, or null.

function address(link) {
  if (typeof link !== 'number') return link;
  pictures ??= JSON.parse($('pictures').textContent);
  return link in pictures ? `data:image/jpeg;base64,${pictures[link]}` : null;
}

function showPicture(shot, row, link, alt, without) {
  shot.textContent = '';
  const from = address(link);
  if (!from) return void (shot.textContent = without);
  const img = make('img', {alt, decoding: 'async'});
  img.addEventListener('error', () => { shot.textContent = 'not there any more, or not for a browser'; });
  if (typeof link !== 'number') img.addEventListener('load', () => cut(img, row.own));
  shot.append(img);
  const large = row.own.width * row.own.height > LARGE;
  if (large) setTimeout(() => { if (img.isConnected) img.src = from; }, 150);
  else img.src = from;
}

// The face that was found and some of what is around it, where the picture is the whole one.
function cut(img, {box, width, height}) {
  if (!box || img.naturalWidth !== width || img.naturalHeight !== height) return;
  const [left, top, w, h] = box, half = 0.6 * Math.max(w, h);
  const scale = img.parentNode.clientWidth / (2 * half);
  Object.assign(img.style, {
    width: `${width * scale}px`, height: `${height * scale}px`,
    left: `${(half - left - w / 2) * scale}px`, top: `${(half - top - h / 2) * scale}px`,
  });
}

function showPair(before, after, row) {
  showPicture(before, row, row.own.link, 'source', row.own.width ? 'not in this page' : 'not read');
  const without = row.status === 'done' ? row.reason || 'not in this page' : row.status;
  showPicture(after, row, row.output, `result, ${row.target}`, without);
}

// The list: only the cards in the window exist.

const list = $('list'), cards = new Map();
let columns = 1, line = 0, step = 0;

function card(row, index) {
  const before = make('div', {className: 'shot'}), after = make('div', {className: 'shot'});
  const said = make('div', {className: 'said'},
    make('b', {textContent: title(row)}),
    make('span', {className: outcome(row), textContent: verdict(row), title: verdict(row)}),
    make('span', {className: 'quiet', textContent: tail(subject(row.own)), title: subject(row.own)}));
  const to = make('span', {className: 'to', textContent: '→', ariaHidden: 'true'});
  const button = make('button', {type: 'button', className: 'card'}, before, to, after, said);
  button.dataset.index = index;
  button.setAttribute('aria-label', `${title(row)}. ${WORDS[outcome(row)]}. ${verdict(row)}. ${subject(row.own)}`);
  showPair(before, after, row);
  const item = make('li', {}, button);
  item.setAttribute('aria-setsize', view.length);
  item.setAttribute('aria-posinset', index + 1);
  return item;
}

function measure() {
  columns = Math.max(1, Math.floor((list.clientWidth + GAP) / (CARD + GAP)));
  step = (list.clientWidth + GAP) / columns;
  if (!line && rows.length) {
    const probe = card(rows[0], 0);
    probe.style.width = `${CARD}px`;
    list.append(probe);
    line = probe.offsetHeight + GAP;
    probe.remove();
  }
  list.style.height = `${Math.ceil(view.length / columns) * line}px`;
}

function place(item, index) {
  Object.assign(item.style, {
    width: `${step - GAP}px`, height: `${line - GAP}px`,
    left: `${(index % columns) * step}px`, top: `${Math.floor(index / columns) * line}px`,
  });
}

const listTop = () => list.getBoundingClientRect().top + scrollY;

function render() {
  const above = Math.max(0, scrollY - listTop());
  const first = Math.max(0, Math.floor(above / line) - SPARE) * columns;
  const last = Math.min(view.length, (Math.ceil((above + innerHeight) / line) + SPARE) * columns);
  for (const [index, item] of cards) {
    if ((index < first || index >= last) && !item.contains(document.activeElement)) {
      item.remove();
      cards.delete(index);
    }
  }
  for (let index = last - 1; index >= first; index--) {
    if (cards.has(index)) continue;
    const item = card(view[index], index);
    place(item, index);
    cards.set(index, item);
    list.insertBefore(item, cards.get(index + 1) ?? null);
  }
  const stop = cards.has(current) ? current : first + SPARE * columns * (first > 0);
  for (const [index, item] of cards) item.firstChild.tabIndex = index === stop ? 0 : -1;
}

function renew() {
  for (const item of cards.values()) item.remove();
  cards.clear();
  measure();
  render();
}

function relayout() {
  measure();
  for (const [index, item] of cards) place(item, index);
  render();
}

function focusCard(index) {
  if (!view.length) return;
  current = Math.min(Math.max(index, 0), view.length - 1);
  const top = listTop() + Math.floor(current / columns) * line;
  const bar = getComputedStyle(filters).position === 'sticky' ? filters.offsetHeight : 0;
  if (top - bar < scrollY) scrollTo(0, top - bar - GAP);
  else if (top + line > scrollY + innerHeight) scrollTo(0, top + line - innerHeight);
  render();
  cards.get(current)?.firstChild.focus({preventScroll: true});
}

// Filters.

const filters = $('filters');

function chosen() {
  const value = (id) => $(id).value;
  const bound = (id, otherwise) => value(id) === '' ? otherwise : Number(value(id)) / 100;
  return {
    words: value('search').toLowerCase(), target: value('target'), source: value('source'),
    by: value('by'), outcome: value('outcome'), least: bound('least', -Infinity),
    most: bound('most', Infinity), bounded: value('least') + value('most') !== '',
  };
}

function wanted(row, ask) {
  return (!ask.target || row.target === ask.target)
    && (!ask.source || (row.own[ask.by] || 'unknown') === ask.source)
    && (!ask.outcome || outcome(row) === ask.outcome)
    && (!ask.bounded || (row.confidence !== null && row.confidence >= ask.least && row.confidence <= ask.most))
    && (!ask.words || row.own.name.includes(ask.words));
}

function apply() {
  const ask = chosen(), order = $('order').value;
  view = rows.filter((row) => wanted(row, ask));
  const sure = (row) => row.confidence ?? -1;
  if (order === 'surest') view.sort((a, b) => sure(b) - sure(a));
  if (order === 'unsurest') view.sort((a, b) => (a.confidence ?? 2) - (b.confidence ?? 2));
  current = 0;
  $('count').textContent = `${whole(view.length)} of ${some(rows.length, 'row')}`;
  if (scrollY > listTop()) scrollTo(0, listTop() - filters.offsetHeight - GAP);
  renew();
}

function choose(changes) {
  for (const [id, value] of Object.entries(changes)) $(id).value = value;
  apply();
}

function showAll() {
  filters.reset();
  apply();
}

// The table of confirmed shares: of all results, also those that the page leaves out.

function fillShares() {
  const by = $('by').value, heat = run.heat[by];
  const sources = [...EMOTIONS, 'unknown'].filter((emotion) => emotion in heat);
  const head = make('tr', {}, make('th', {scope: 'col', textContent: 'from \\ to'}));
  for (const target of run.targets) head.append(make('th', {scope: 'col', textContent: target}));
  $('shares').querySelector('thead').replaceChildren(head);
  $('shares').querySelector('tbody').replaceChildren(...sources.map((source) =>
    make('tr', {}, make('th', {scope: 'row', textContent: source}),
      ...run.targets.map((target) => shareCell(source, target, heat[source][target])))));
  const options = sources.map((emotion) => new Option(emotion, emotion));
  const before = $('source').value;
  $('source').replaceChildren(new Option('any', ''), ...options);
  $('source').value = sources.includes(before) ? before : '';
}

function shareCell(source, target, counted) {
  if (!counted) return make('td', {}, make('span', {textContent: '–', title: 'no results'}));
  const [confirmed, results] = counted;
  const button = make('button', {type: 'button'}, `${percent(confirmed / results)} `,
    make('small', {textContent: `of ${whole(results)}`}));
  button.style.setProperty('--share', 100 * confirmed / results);
  button.setAttribute('aria-label',
    `${source} to ${target}: ${percent(confirmed / results)} of ${whole(results)} confirmed; show them`);
  button.addEventListener('click', () => choose({source, target, outcome: ''}));
  return make('td', {}, button);
}

// One result, large.

const large = $('large'), [before, after] = large.querySelectorAll('.shot');

function open(index) {
  current = Math.min(Math.max(index, 0), view.length - 1);
  const row = view[current];
  $('large-title').textContent = `${whole(current + 1)} of ${whole(view.length)}: ${title(row)}, ${WORDS[outcome(row)]}`;
  if (!large.open) large.showModal();
  blink(false);
  large.querySelector('.bars').replaceChildren(...EMOTIONS.flatMap((emotion, i) => bar(row, emotion, row.p?.[i])));
  large.querySelector('dl').replaceChildren(...facts(row).flatMap(([name, value]) =>
    [make('dt', {textContent: name}), make('dd', {}, value)]));
  $('previous').disabled = current === 0;
  $('next').disabled = current === view.length - 1;
}

function blink(on) {
  blinking = on;
  const row = view[current];
  $('blink').setAttribute('aria-pressed', on);
  showPair(before, after, row);
  if (on) showPicture(after, row, row.own.link, 'source, in the result’s place', 'no source');
}

function bar(row, emotion, share) {
  if (share === undefined) return [];
  const fill = make('i');
  fill.style.setProperty('--share', 100 * share);
  const item = make('div', {className: emotion === row.target ? 'target' : ''},
    make('span', {textContent: emotion}), make('span', {className: 'bar'}, fill),
    make('span', {textContent: percent(share)}));
  item.setAttribute('role', 'listitem');
  return [item];
}

function facts(row) {
  const {own} = row;
  const linked = (text, link) => typeof link === 'string' ? make('a', {href: link, textContent: text}) : text;
  return [
    ['Judge', make('span', {className: outcome(row), textContent: verdict(row)})],
    ['Note', row.status === 'done' ? row.reason : ''],
    ['Source', linked(subject(own), own.link)],
    ['Source’s label', own.label],
    ['Source, to the judge', own.read],
    ['Result', typeof row.output === 'string' ? linked('open the file', row.output) : ''],
    ['Size', own.width ? `${own.width} x ${own.height}` : ''],
  ].filter(([, value]) => value !== '');
}

function closeLarge() {
  const index = current;  // closing gives the focus back to the card that was opened
  large.close();
  focusCard(index);
}

// Keys.

const OUTCOMES = {'': 'confirmed', confirmed: 'denied', denied: ''};
const anywhere = {
  '/': () => $('search').focus(),
  j: () => go(1), k: () => go(-1), x: showAll,
  c: () => choose({outcome: OUTCOMES[$('outcome').value] ?? ''}),
  '?': () => { $('help').open = true; $('help').scrollIntoView(); $('help').firstElementChild.focus(); },
};
const onCard = {
  ArrowRight: () => go(1), ArrowLeft: () => go(-1),
  ArrowDown: () => go(columns), ArrowUp: () => go(-columns),
  Home: () => focusCard(0), End: () => focusCard(view.length - 1),
};
const inLarge = {
  j: () => open(current + 1), k: () => open(current - 1),
  ArrowRight: () => open(current + 1), ArrowLeft: () => open(current - 1),
  b: () => blink(!blinking),
};

const atCard = () => list.contains(document.activeElement) && document.activeElement.matches('.card');
const go = (by) => focusCard(atCard() ? current + by : current);

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target.matches('input, select')) {
    if (event.key !== 'Escape') return;
    event.preventDefault();  // Chromium would empty the field and not say so
    event.target.blur();
    return;
  }
  const act = large.open ? inLarge[event.key]
    : (atCard() && onCard[event.key]) || anywhere[event.key] || numbered(event.key);
  if (!act) return;
  event.preventDefault();
  act();
}

function numbered(key) {
  if (!/^[0-7]$/.test(key)) return null;
  const target = EMOTIONS[key - 1] ?? '';
  return () => { if (!target || run.targets.includes(target)) choose({target}); };
}

// Begin.

function summarise() {
  const {inputs, results, confirmed} = run;
  const share = results ? `, ${percent(confirmed / results)} confirmed` : '';
  const other = ['failed', 'skipped'].filter((status) => inputs[status])
    .map((status) => `; ${some(inputs[status], 'input')} ${status}`).join('');
  $('summary').textContent = `${some(results, 'result')} from ${some(inputs.done, 'input')}${share}${other}.`;
  const notes = [];
  if (!run.finished) notes.push('The run did not come to its end: the same command goes on from here.');
  if (rows.length < run.rows) notes.push(`These are ${whole(rows.length)} of the report's ${whole(run.rows)} rows, spread evenly; the table counts all.`);
  if (run.unseen) notes.push(`${some(run.unseen, 'picture')} in archives, datasets or formats that browsers do not show would have taken too long to put in here.`);
  $('notice').textContent = notes.join(' ');
  $('notice').hidden = !notes.length;
}

function begin() {
  summarise();
  $('by').value = Object.keys(run.heat.label).some((emotion) => emotion !== 'unknown') ? 'label' : 'read';
  $('target').append(new Option('any', ''), ...run.targets.map((target) => new Option(target, target)));
  $('shares').hidden = !run.results;
  fillShares();
  apply();
  $('by').addEventListener('change', () => { fillShares(); apply(); });
  for (const [kind, fields] of [['input', 'input'], ['change', 'select']]) {
    filters.addEventListener(kind, (event) => { if (event.target.matches(fields)) apply(); });
  }
  filters.addEventListener('submit', (event) => event.preventDefault());
  $('all').addEventListener('click', showAll);
  list.addEventListener('click', (event) => {
    const button = event.target.closest('.card');
    if (button) open(Number(button.dataset.index));
  });
  list.addEventListener('focusin', (event) => {
    if (event.target.matches('.card')) current = Number(event.target.dataset.index);
  });
  $('previous').addEventListener('click', () => open(current - 1));
  $('next').addEventListener('click', () => open(current + 1));
  $('blink').addEventListener('click', () => blink(!blinking));
  $('close').addEventListener('click', closeLarge);
  large.addEventListener('cancel', (event) => { event.preventDefault(); closeLarge(); });
  document.addEventListener('keydown', onKey);
  let waiting = false;
  addEventListener('scroll', () => {
    if (!waiting) requestAnimationFrame(() => { waiting = false; render(); });
    waiting = true;
  }, {passive: true});
  new ResizeObserver(relayout).observe(list);
}

begin();
