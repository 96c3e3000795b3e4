import { post, showMessage, showState, takeToken } from './page.mjs';

const FIELDS = { 'api-key': 'apiKey', 'secret-key': 'secretKey', 'full-key': 'fullKey' };
const COPIED_MS = 4_000;

const openButton = document.querySelector('#open');
let token = '';
let expiresAt;

function fieldOf(id) {
  return document.querySelector(`#${id}`);
}

/** A field is as high as its text: half a key cannot be compared by eye. */
function fitFields() {
  for (const id of Object.keys(FIELDS)) {
    const field = fieldOf(id);
    field.style.height = 'auto';
    field.style.height = `${field.scrollHeight + 2}px`;
  }
}

function showExpiry() {
  if (expiresAt === undefined) return;
  const language = document.documentElement.lang;
  const target = document.querySelector('#expiry');
  if (expiresAt === null) {
    target.textContent = language === 'ja' ? '期限なし' : 'no expiry';
    return;
  }
  const format = new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  });
  const time = format.format(new Date(expiresAt));
  target.textContent = language === 'ja' ? `有効期限 ${time}` : `works until ${time}`;
}

function forget() {
  token = '';
  expiresAt = undefined;
  for (const id of Object.keys(FIELDS)) fieldOf(id).value = '';
}

function start() {
  forget();
  token = takeToken();
  showState(token === '' ? 'missing' : 'ready');
}

function showKey(key) {
  token = '';
  for (const [id, name] of Object.entries(FIELDS)) fieldOf(id).value = key[name];
  document.querySelector('#comment').textContent = key.comment;
  expiresAt = key.expiresAt;
  showExpiry();
  showState('opened');
  fitFields();
}

async function openLink() {
  if (openButton.disabled) return;
  openButton.disabled = true;
  showMessage(null);
  const { status, body } = await post('/v1/key-links/open', { token }, 'omit');
  openButton.disabled = false;
  if (status === 200) showKey(body);
  else if (status === 429) showMessage('throttled');
  else if (status === 0 || status >= 500) showMessage('trouble');
  else showState('unusable');
}

/** Over plain http there is no clipboard object; selecting and the old command still work there. */
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand('copy');
  }
}

async function copy(button) {
  const isCopied = await copyText(fieldOf(button.dataset.copy));
  showMessage(isCopied ? null : 'copy-failed');
  if (!isCopied) return;
  button.focus();
  const show = (isDone) => {
    button.classList.toggle('done', isDone);
    button.querySelector('[data-label]').hidden = isDone;
    button.querySelector('[data-done]').hidden = !isDone;
  };
  show(true);
  setTimeout(() => show(false), COPIED_MS);
}

openButton.addEventListener('click', () => void openLink());
for (const button of document.querySelectorAll('[data-copy]'))
  button.addEventListener('click', () => void copy(button));
document.addEventListener('languagechange', showExpiry);
addEventListener('resize', fitFields);
// Another link pasted into the same tab changes only what stands behind `#`, and loads nothing anew.
addEventListener('hashchange', () => {
  if (location.hash !== '') start();
});
// The page that the browser keeps for its Back button must not keep the key.
addEventListener('pagehide', forget);
addEventListener('pageshow', (event) => {
  if (event.persisted) start();
});
start();
