// The list: only the cards in the window exist.

const list = $('list'), cards = new Map();
let columns = 1, line = 0, step = 0;

function card(row, index) {
  const before = make('div', {className: 'shot'}), after = make('div', {className: 'shot'});
  const words = make('div', {className: 'words'},
    make('b', {textContent: title(row)}),
    make('span', {className: outcome(row), textContent: verdict(row), title: verdict(row)}),
    make('span', {className: 'quiet', textContent: tail(subject(row.face)), title: subject(row.face)}));
  const to = make('span', {className: 'to', textContent: '→', ariaHidden: 'true'});
  const button = make('button', {type: 'button', className: 'card'}, before, to, after, words);
  button.dataset.index = index;
  button.setAttribute('aria-label', `${title(row)}. ${WORDS[outcome(row)]}. ${verdict(row)}. ${subject(row.face)}`);
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

function matches(row, query) {
  return (!query.target || row.target === query.target)
    && (!query.source || (row.face[query.by] || 'unknown') === query.source)
    && (!query.outcome || outcome(row) === query.outcome || (query.outcome === 'noted' && hasNote(row)))
    && (!query.bounded || (row.confidence !== null && row.confidence >= query.least && row.confidence <= query.most))
    && (!query.words || row.face.name.includes(query.words));
}

function apply() {
  const query = chosen(), order = $('order').value;
  view = rows.filter((row) => matches(row, query));
  const confidence = (row) => row.confidence ?? -1;
  if (order === 'surest') view.sort((a, b) => confidence(b) - confidence(a));
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

// The table of confirmed shares: counts include results that the page leaves out.

function fillShares() {
  const by = $('by').value, heat = run.heat[by];
  const sources = [...run.emotions, 'unknown'].filter((emotion) => emotion in heat);
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
    `${source} to ${target}: ${percent(confirmed / results)} of ${whole(results)} confirmed; show these results`);
  button.addEventListener('click', () => choose({source, target, outcome: ''}));
  return make('td', {}, button);
}
