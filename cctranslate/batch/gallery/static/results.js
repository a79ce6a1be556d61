'use strict';
// File names come from strangers: data only ever becomes text, an attribute or a picture.

const CARD = 232, GAP = 8, SPARE = 2;  // a card's least width and the space between cards, in pixels; lines kept beyond the window
const LARGE = 1e6;  // pixels; larger pictures are loaded once scrolling rests
const $ = (id) => document.getElementById(id);
const run = JSON.parse($('run').textContent);
const rows = JSON.parse($('faces').textContent).flatMap(unpack);
let pictures = null;  // parsed when the first one is shown
let view = rows, current = 0, blinking = false;

// Each result is a row that knows the face it was made from.
function unpack({results, ...face}) {
  face.name = face.source.toLowerCase();
  return results.map((result) => ({...result, face}));
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const percent = (share) => share === null ? '' : `${(share * 100).toFixed(1)}%`;
const whole = (number) => number.toLocaleString('en');
const some = (number, word) => `${whole(number)} ${word}${number === 1 ? '' : 's'}`;

// Words about a row.

const title = (row) => row.target ? `to ${row.target}${row.variant}` : row.status;
const subject = ({source, face, faces}) => faces > 1 ? `${source}, face ${face} of ${faces}` : source;
const tail = (path) => path.split(run.separator).slice(-2).join(run.separator);
const outcome = (row) => row.status !== 'done' ? row.status : row.confirmed ? 'confirmed' : 'denied';
const hasNote = (row) => row.status === 'done' && row.reason !== '';
const WORDS = {confirmed: 'confirmed', denied: 'not confirmed', skipped: 'skipped', failed: 'failed'};

function verdict(row) {
  if (row.status !== 'done') return `${row.status}: ${row.reason}`;
  return `${row.confirmed ? '✓' : '✗'} judge: ${row.predicted} ${percent(row.confidence)}`;
}

// A picture is a link, the number of an embedded one, or null.

function address(link) {
  if (typeof link !== 'number') return link;
  pictures ??= JSON.parse($('pictures').textContent);
  return link in pictures ? `data:image/jpeg;base64,${pictures[link]}` : null;
}

function showPicture(shot, row, link, alt, without) {
  shot.textContent = '';
  const from = address(link);
  if (!from) {
    shot.textContent = without;
    return;
  }
  const img = make('img', {alt, decoding: 'async'});
  img.addEventListener('error', () => { shot.textContent = 'missing, or not readable by this browser'; });
  if (typeof link !== 'number') img.addEventListener('load', () => cut(img, row.face));
  shot.append(img);
  const large = row.face.width * row.face.height > LARGE;
  if (large) setTimeout(() => { if (img.isConnected) img.src = from; }, 150);
  else img.src = from;
}

// Show a detected face and its surroundings where the file is the whole picture.
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
  const unread = row.status === 'failed' && !row.face.width;
  showPicture(before, row, row.face.picture, 'source', unread ? 'could not be read' : 'not in this page');
  const without = row.status === 'done' ? row.reason || 'not in this page' : row.status;
  showPicture(after, row, row.picture, `result, ${row.target}`, without);
}
