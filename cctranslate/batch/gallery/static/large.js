// One result, large.

const large = $('large'), [before, after] = large.querySelectorAll('.shot');

function open(index) {
  current = Math.min(Math.max(index, 0), view.length - 1);
  const row = view[current];
  $('large-title').textContent = `${whole(current + 1)} of ${whole(view.length)}: ${title(row)}, ${WORDS[outcome(row)]}`;
  if (!large.open) large.showModal();
  blink(false);
  large.querySelector('.bars').replaceChildren(...run.emotions.flatMap((emotion, i) => bar(row, emotion, row.probabilities?.[i])));
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
  if (on) showPicture(after, row, row.face.picture, 'source, shown where the result was', 'no source');
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
  const {face} = row;
  const linked = (text, link) => typeof link === 'string' ? make('a', {href: link, textContent: text}) : text;
  return [
    [row.status === 'done' ? 'Judge' : 'Outcome', make('span', {className: outcome(row), textContent: verdict(row)})],
    ['Note', hasNote(row) ? row.reason : ''],
    ['Source', linked(subject(face), face.picture)],
    ['Source label', face.label],
    ['Judge on the source', face.read],
    ['Result', typeof row.picture === 'string' ? linked('open the file', row.picture) : ''],
    ['Size', face.width ? `${face.width} x ${face.height}` : ''],
  ].filter(([, value]) => value !== '');
}

function closeLarge() {
  const index = current;  // closing gives the focus back to the card that was opened
  large.close();
  focusCard(index);
}
