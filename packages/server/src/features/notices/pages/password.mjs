import { post, showMessage, showState, takeToken } from './page.mjs';

const form = document.querySelector('#form');
const field = document.querySelector('#password');
const reveal = document.querySelector('#reveal');
const submit = document.querySelector('#submit');
const lengthRule = document.querySelector('[data-rule="length"]');
const CHARACTERS_MIN = 12;
let token = '';
let detail = '';

/** What the server says about a password, in Japanese; what is not known here is shown in English. */
const JAPANESE = [
  [
    /^The password has (\d+) characters; at least (\d+) are needed\./,
    'パスワードは$1文字です。$2文字以上必要です。',
  ],
  [/^The password repeats the same few characters\./, 'パスワードが同じ数文字の繰り返しです。'],
  [
    /^The password is little more than /,
    'パスワードのほとんどが、よく知られた言葉や、名前・アドレス、文字の並びです。関係のない単語をいくつか加えてください。',
  ],
  [/^The password is longer than (\d+) bytes/, 'パスワードが$1バイトを超えています。短くしてください。'],
];

function showDetail() {
  const rule = JAPANESE.find(([pattern]) => pattern.test(detail));
  const isJapanese = document.documentElement.lang === 'ja' && rule !== undefined;
  const match = isJapanese ? rule[0].exec(detail) : null;
  const text = isJapanese ? rule[1].replace(/\$(\d)/g, (_all, digit) => match[Number(digit)]) : detail;
  for (const target of document.querySelectorAll('#weak-detail, #refused-detail')) {
    target.lang = isJapanese ? 'ja' : 'en';
    target.textContent = text;
  }
}

function start() {
  token = takeToken();
  showState(token === '' ? 'missing' : 'ready');
}

function showFault(id, said = '') {
  detail = typeof said === 'string' ? said : '';
  showDetail();
  showMessage(id);
  if (id !== 'weak' && id !== 'empty') return;
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', `rules ${id}`);
  field.focus();
}

function showOutcome({ status, body }) {
  if (status >= 200 && status < 300) {
    field.value = '';
    showState('done');
    // Signed in: nothing is left to do here, and Back must not lead to a link that is used up.
    location.replace('/overview');
  } else if (status === 429) showFault('throttled');
  else if (status === 0 || status >= 500) showFault('trouble');
  else if (status === 400 || status === 422) showFault('weak', body.detail);
  else if (status === 404 || status === 410) showState('unusable');
  else showFault('refused', body.detail);
}

async function send() {
  if (submit.disabled) return;
  if (field.value === '') {
    showFault('empty');
    return;
  }
  submit.disabled = true;
  showMessage(null);
  field.removeAttribute('aria-invalid');
  field.setAttribute('aria-describedby', 'rules');
  // The answer signs in: its cookie must be kept.
  const outcome = await post(form.dataset.endpoint, { token, password: field.value }, 'same-origin');
  submit.disabled = false;
  showOutcome(outcome);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void send();
});
field.addEventListener('input', () => {
  lengthRule.classList.toggle('met', Array.from(field.value.normalize('NFC')).length >= CHARACTERS_MIN);
});
reveal.addEventListener('click', () => {
  const isShown = field.type === 'password';
  field.type = isShown ? 'text' : 'password';
  reveal.setAttribute('aria-pressed', String(isShown));
});
document.addEventListener('languagechange', showDetail);
addEventListener('hashchange', () => {
  if (location.hash !== '') start();
});
start();
