import { post, showMessage, showState, takeToken } from './page.mjs';

const form = document.querySelector('#form');
const field = document.querySelector('#password');
const reveal = document.querySelector('#reveal');
const submit = document.querySelector('#submit');
let token = '';

function start() {
  token = takeToken();
  showState(token === '' ? 'missing' : 'ready');
}

function showFault(id, detail) {
  showMessage(id);
  const target = document.querySelector(`#${id}-detail`);
  if (target !== null) target.textContent = typeof detail === 'string' ? detail : '';
  if (id !== 'weak' && id !== 'empty') return;
  field.setAttribute('aria-invalid', 'true');
  field.setAttribute('aria-describedby', `rules ${id}`);
  field.focus();
}

function showOutcome({ status, body }) {
  if (status >= 200 && status < 300) {
    field.value = '';
    showState('done');
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
reveal.addEventListener('change', () => {
  field.type = reveal.checked ? 'text' : 'password';
});
addEventListener('hashchange', () => {
  if (location.hash !== '') start();
});
start();
