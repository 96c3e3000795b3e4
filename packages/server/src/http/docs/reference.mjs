/* global SwaggerUIBundle */

/** The credentials of a request, as a copied command shows them: real ones would end up in the history of a shell. */
const SHOWN = {
  authorization: (value) =>
    /^basic/i.test(value) ? 'Basic <API key:secret key in base64>' : 'Bearer <full key or token>',
  'x-api-key': () => '<full key>',
};

const hideCredentials = (headers) =>
  headers.map((value, name) => SHOWN[name.toLowerCase()]?.(String(value)) ?? value);

const framePlugin = () => ({
  wrapComponents: {
    curl:
      (Original, { React }) =>
      ({ request, ...others }) =>
        React.createElement(Original, {
          ...others,
          request: request.has('headers') ? request.update('headers', hideCredentials) : request,
        }),
    // There is one server, this one.
    ServersContainer: () => () => null,
  },
});

/**
 * Keys and tokens go into the same header, so that one field takes both. The session of the console comes by itself,
 * and no script can send a cookie: a field for it would do nothing.
 */
function mergeCredentials(spec) {
  const { session: _session, token: _token, key, ...others } = spec.components.securitySchemes;
  const description = 'A full key or a token: `Authorization: Bearer …`.';
  spec.components.securitySchemes = { bearer: { ...key, description }, ...others };
  for (const operation of Object.values(spec.paths).flatMap((methods) => Object.values(methods))) {
    const names = new Set(
      (operation.security ?? [])
        .flatMap((scheme) => Object.keys(scheme))
        .filter((name) => name !== 'session')
        .map((name) => (name === 'key' || name === 'token' ? 'bearer' : name)),
    );
    // The empty one stands for the session, or for nobody at all.
    operation.security = names.size === 0 ? [] : [{}, ...[...names].map((name) => ({ [name]: [] }))];
  }
}

/** The library follows a class, not the setting of the browser. */
function followColors() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
  dark.addEventListener('change', paint);
  paint();
}

/** What the library leaves out for those who do not see the page: landmarks, a dialog that says so, names of buttons. */
const ATTRIBUTES = {
  '.information-container': { role: 'region', 'aria-label': 'Introduction' },
  '.scheme-container': { role: 'region', 'aria-label': 'Credentials' },
  '.modal-ux': { role: 'dialog', 'aria-modal': 'true', 'aria-label': 'Credentials' },
  '.close-modal': { 'aria-label': 'Close' },
  '.auth-btn-wrapper .authorize': { 'aria-label': 'Authorize' },
  // Long examples scroll; without this, not by keyboard.
  pre: { tabindex: '0' },
};

/** The library focuses the last of the credentials, so that the dialog opens below the one that most people have. */
function focusFirstCredential(root) {
  const dialog = root.querySelector('.modal-ux');
  const field = dialog?.querySelector('input');
  if (field && !dialog.dataset.isFocused) {
    dialog.dataset.isFocused = 'yes';
    field.focus();
    dialog.querySelector('.modal-ux-content')?.scrollTo(0, 0);
  }
}

function mendAccess(root) {
  const mend = () => {
    focusFirstCredential(root);
    for (const [selector, attributes] of Object.entries(ATTRIBUTES)) {
      for (const element of root.querySelectorAll(selector)) {
        for (const [name, value] of Object.entries(attributes)) {
          if (element.getAttribute(name) !== value) element.setAttribute(name, value);
        }
      }
    }
  };
  new MutationObserver(mend).observe(root, { childList: true, subtree: true });
}

async function fetchDocument() {
  const answer = await fetch('/openapi.json');
  if (!answer.ok) throw new Error(`/openapi.json: ${answer.status}`);
  return await answer.json();
}

function tellFailure(root, error) {
  const note = root.querySelector('.loading');
  note.setAttribute('role', 'alert');
  note.textContent = `${note.dataset.failed} (${error.message})`;
}

function showReference(root, spec) {
  // The workspace may be open at more addresses than its own; the policy of this page allows calls to the one it is at.
  spec.servers = [{ url: location.origin }];
  mergeCredentials(spec);
  mendAccess(root);
  SwaggerUIBundle({
    spec,
    domNode: root,
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: 'none',
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
    plugins: [framePlugin],
  });
}

followColors();
const root = document.getElementById('reference');
try {
  showReference(root, await fetchDocument());
} catch (error) {
  tellFailure(root, error);
}
