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
    event.preventDefault();  // Chromium would clear the field without an event
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
  const target = run.emotions[key - 1] ?? '';
  return () => { if (!target || run.targets.includes(target)) choose({target}); };
}

// Begin.

function summarize() {
  const {inputs, results, confirmed} = run;
  const share = results ? `, ${percent(confirmed / results)} confirmed` : '';
  const other = ['failed', 'skipped'].filter((status) => inputs[status])
    .map((status) => `; ${some(inputs[status], 'input')} ${status}`).join('');
  $('summary').textContent = `${some(results, 'result')} from ${some(inputs.done, 'input')}${share}${other}.`;
  const notes = [];
  if (!run.finished) notes.push('The run did not finish: the same command goes on from here.');
  if (rows.length < run.rows) notes.push(`This page shows ${whole(rows.length)} of the report's ${whole(run.rows)} rows, spread evenly; the table counts all of them.`);
  if (run.unseen) notes.push(`${some(run.unseen, 'picture')} in archives, datasets or formats that browsers do not show are left out, because embedding them would take too long.`);
  $('notice').textContent = notes.join(' ');
  $('notice').hidden = !notes.length;
}

function begin() {
  summarize();
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
