import type { Page } from '@playwright/test';
import { findAxeViolations } from './axe.ts';
import {
  ADMIN_EMAIL,
  expect,
  heapContains,
  MEMBER_EMAIL,
  pressTabTo,
  readClipboard,
  type Site,
  secretLeaks,
  test,
  writeClipboard,
} from './fixtures.ts';
import { watchContext } from './guard.ts';
import { StreamSearch } from './secret-search.ts';
import { findTextFaults } from './text-faults.ts';

/** The bench itself: each of its eyes is shown what it must see. */

/** Serves a page of our own making at an address of the server. */
async function show(
  page: Page,
  town: Site,
  html: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const url = `${town.url}/bench`;
  await page.context().route(url, (route) =>
    route.fulfill({
      contentType: 'text/html; charset=utf-8',
      headers,
      body: `<!doctype html><html lang="en"><title>Bench</title>${html}`,
    }),
  );
  await page.goto(url);
}

test.describe('the guard', () => {
  const seenIn = async (page: Page, town: Site, html: string, headers?: Record<string, string>) => {
    const guard = await watchContext(page.context(), [town.url]);
    await show(page, town, html, headers);
    await page.waitForFunction(() => document.title !== 'Wait');
    return await guard.faults();
  };

  test('sees errors, warnings and what nobody caught', async ({ browser, town }) => {
    const page = await browser.newPage();
    const script =
      'console.error("first"); console.warn("second"); console.log("fine"); throw new Error("third")';
    const faults = await seenIn(page, town, `<script>${script}</script>`);
    expect(faults.map((fault) => fault.split('\n')[0])).toEqual([
      expect.stringContaining('console error: first'),
      expect.stringContaining('console warning: second'),
      expect.stringContaining('uncaught: Error: third'),
    ]);
    await page.close();
  });

  test('sees a request to a foreign host', async ({ browser, town }) => {
    const page = await browser.newPage();
    const faults = await seenIn(page, town, '<img alt="" src="https://tracker.example/pixel.png">');
    expect(faults).toContain('foreign host: GET https://tracker.example/pixel.png');
    await page.close();
  });

  test('sees a report of the content security policy', async ({ browser, town }) => {
    const page = await browser.newPage();
    const policy = { 'content-security-policy': "default-src 'self'" };
    const faults = await seenIn(page, town, '<script>document.title = "mine"</script>', policy);
    expect(faults).toContainEqual(
      expect.stringMatching(/^content security policy: script-src-elem refused inline/),
    );
    expect(await page.title()).toBe('Bench');
    await page.close();
  });

  test('sees an answer of 500 and a file that is missing, and takes a refusal of the API as an answer', async ({
    browser,
    town,
  }) => {
    const page = await browser.newPage();
    await page.route('**/v1/broken', (route) => route.fulfill({ status: 503 }));
    await page.route('**/v1/refused', (route) => route.fulfill({ status: 403 }));
    const names = ['/v1/broken', '/v1/refused', '/assets/gone.js'];
    const script = `document.title = 'Wait';
      Promise.all(${JSON.stringify(names)}.map((name) => fetch(name))).then(() => { document.title = 'Done'; });`;
    const faults = await seenIn(page, town, `<script>${script}</script>`);
    const has = (text: string) => faults.some((fault) => fault.includes(text));
    expect([has('answer 503: GET'), has('/assets/gone.js'), has('/v1/refused')]).toEqual([true, true, false]);
    await page.close();
  });
});

test.describe('a page of the bench', () => {
  // The only thing that can fail here is the guard, after the body.
  test.fail();
  test('fails its test when anything went wrong on it', async ({ page, town }) => {
    await show(page, town, '<script>console.warn("something")</script>');
  });
});

test.describe('a fault that a test provokes', () => {
  test('can be allowed', async ({ page, town, allowFault }) => {
    allowFault(/^console warning: something/);
    await show(page, town, '<script>console.warn("something")</script>');
  });
});

test.describe('axe', () => {
  test('is asked in both colours', async ({ page, town }) => {
    const style =
      'p { color: #000; background: #fff } @media (prefers-color-scheme: dark) { p { color: #333; background: #222 } }';
    await show(page, town, `<style>${style}</style><main><h1>Bench</h1><p>Read me</p></main>`);
    const violations = await findAxeViolations(page);
    expect(violations).toHaveLength(1);
    expect(violations[0]).toMatch(/^dark: color-contrast /);
  });
});

const SECRET = '8sKq2vXw1Zt7Lr4NdYp9GmBf3HcJ6TuE5aRoVxQiSyWkDzCb0gFh';

test.describe('the search for a secret', () => {
  test('finds it wherever a page can keep it', async ({ page, town }) => {
    await page.context().addCookies([{ name: 'c', value: SECRET, url: town.url }]);
    const script = `
      history.replaceState({ deep: ['${SECRET}'] }, '', '#${SECRET}');
      window.name = '${SECRET}';
      localStorage.setItem('a', btoa('x${SECRET}'));
      sessionStorage.setItem('${SECRET}', 'b');
      console.info('made ${SECRET}');
      document.querySelector('input').value = '${SECRET}';
      caches.open('store').then((cache) => cache.put('/x', new Response('${SECRET}'))).then(() => {
        const opening = indexedDB.open('base');
        opening.onupgradeneeded = () => opening.result.createObjectStore('things').put({ k: '${SECRET}' }, 1);
        opening.onsuccess = () => { opening.result.close(); document.title = 'ready'; };
      });`;
    await show(
      page,
      town,
      `<p data-x="${SECRET}">text</p><input><template></template><!-- ${SECRET} --><script>${script}</script>`,
    );
    await expect(page).toHaveTitle('ready');
    expect((await secretLeaks(page, SECRET)).toSorted()).toEqual(
      [
        'IndexedDB base.things',
        'URL',
        'attribute data-x of <p>',
        'cache store',
        'console',
        'cookie c',
        'document.cookie',
        'history.state',
        'localStorage a',
        `sessionStorage ${SECRET}`,
        'text of <body>',
        'text of <script>',
        'value of <input>',
        'window.name',
      ].toSorted(),
    );
  });

  test('finds nothing in a page that never had it', async ({ page }) => {
    await page.goto('/invitation');
    expect(await secretLeaks(page, SECRET)).toEqual([]);
  });

  test('sees a text that begins in one chunk and ends in another', () => {
    for (let at = 1; at < SECRET.length; at += 1) {
      const search = new StreamSearch([SECRET, 'absent-needle']);
      search.push(`xx${SECRET.slice(0, at)}`);
      for (const character of SECRET.slice(at)) search.push(character);
      search.push('yy');
      expect(search.found).toEqual([SECRET]);
    }
  });
});

test.describe('the search in memory', () => {
  test('finds what a script still holds, and not what it has let go', async ({ page, town }) => {
    const halves = [SECRET.slice(0, 20), SECRET.slice(20)];
    const script = `
      const make = () => ${JSON.stringify(halves)}.join('');
      const long = () => Array.from({ length: 3000 }, () => '~').concat(${JSON.stringify(halves)}).join('');
      globalThis.hold = { closure: ((kept) => () => kept.length)(make()) };
      globalThis.release = () => { globalThis.hold = null; };
      globalThis.keepLong = () => { globalThis.hold = long(); };
      globalThis.keepBasic = () => { globalThis.hold = btoa('kr_x:' + make()); };`;
    await show(page, town, `<script>${script}</script>`);
    const call = (name: string) =>
      page.evaluate((key) => (globalThis as never as Record<string, () => void>)[key]?.(), name);
    expect(await heapContains(page, [SECRET, 'absent-needle'])).toEqual([SECRET]);
    await call('release');
    expect(await heapContains(page, [SECRET])).toEqual([]);
    await call('keepLong');
    expect(await heapContains(page, [SECRET])).toEqual([SECRET]);
    await call('release');
    await call('keepBasic');
    expect(await heapContains(page, [SECRET])).toEqual([SECRET]);
  });
});

test('what a test reads from the clipboard leaves no trace in memory', async ({ page }) => {
  await page.goto('/invitation');
  await writeClipboard(page, SECRET);
  expect(await readClipboard(page)).toBe(SECRET);
  expect(await secretLeaks(page, SECRET)).toEqual([]);
  expect(await heapContains(page, [SECRET])).toEqual([]);
});

test.describe('the clipboard', () => {
  const COPY = `<button onclick="const f = document.createElement('textarea'); f.value = 'by hand'; document.body.append(f); f.select(); document.execCommand('copy'); f.remove()">Copy</button>`;

  test('can be read on a page that may use it', async ({ page }) => {
    await page.goto('/invitation');
    await writeClipboard(page, 'before');
    expect(await readClipboard(page)).toBe('before');
  });

  test('is missing over plain http, and what lands there can be read all the same', async ({
    startSite,
    visit,
  }) => {
    const site = await startSite({ town: 'empty', isPlainHttp: true });
    const page = await visit({ at: site });
    await show(page, site, COPY);
    expect(page.url()).toMatch(/^http:\/\/keys\.test:/);
    expect(await page.evaluate(() => [isSecureContext, 'clipboard' in navigator])).toEqual([false, false]);
    await writeClipboard(page, 'before');
    await page.getByRole('button', { name: 'Copy' }).click();
    expect(await readClipboard(page)).toBe('by hand');
  });
});

test.describe('the keyboard', () => {
  test('comes to an element that takes the focus, and says so when it cannot', async ({ page, town }) => {
    await show(
      page,
      town,
      '<main><a href="#x">one</a><button>two</button><button tabindex="-1">three</button></main>',
    );
    await pressTabTo(page, page.getByRole('button', { name: 'two' }));
    await expect(page.getByRole('button', { name: 'two' })).toBeFocused();
    await expect(pressTabTo(page, page.getByRole('button', { name: 'three' }), 10)).rejects.toThrow(
      'has the focus',
    );
  });
});

test.describe('the look at text', () => {
  const box = (style: string, inner = 'A rather long line of text', attributes = '') =>
    `<div style="width:80px; white-space:nowrap; ${style}" ${attributes}>${inner}</div>`;

  test('sees what is cut, sticks out or lies outside', async ({ page, town }) => {
    await show(
      page,
      town,
      [
        box('overflow:hidden', 'cut at the side of a box'),
        box('overflow:hidden; text-overflow:ellipsis', 'ellipsis without the whole text in a title'),
        box('overflow:hidden; text-overflow:ellipsis', 'marked, yet without a title', 'data-truncate'),
        box('white-space:normal; height:1em; overflow:hidden', 'two lines in the height of a single one'),
        box('', 'sticks out of its own box'),
        box('position:absolute; left:-40px', 'beyond the edge'),
      ].join(''),
    );
    const faults = await findTextFaults(page);
    expect(faults.map((fault) => fault.replace(/by <div>|of <div>/, '…'))).toEqual([
      'cut at the side …: "cut at the side of a box"',
      'cut at the side …: "ellipsis without the whole text in a title"',
      'cut at the side …: "marked, yet without a title"',
      'cut above or below …: "two lines in the height of a single one"',
      'sticks out …: "sticks out of its own box"',
      'sticks out …: "beyond the edge"',
      'outside the page: "beyond the edge"',
    ]);
  });

  test('sees an ellipsis that a third of a pixel too little has brought', async ({ page, town }) => {
    const style = 'display:inline-block; white-space:nowrap; overflow:hidden; text-overflow:ellipsis';
    const fit = 'p.style.width = `${p.getBoundingClientRect().width - 0.3}px`';
    await show(page, town, `<span id="p" style="${style}">a tag</span><script>${fit}</script>`);
    expect(await findTextFaults(page)).toEqual(['cut at the side by <span>: "a tag"']);
  });

  test('sees a page that scrolls sideways', async ({ page, town }) => {
    await show(page, town, '<div style="width:3000px; height:1px"></div>');
    expect(await findTextFaults(page)).toEqual([
      expect.stringMatching(/^the page scrolls sideways by \d+ px$/),
    ]);
  });

  test('takes text as good that is whole, scrolls, is hidden, or is cut with a title', async ({
    page,
    town,
  }) => {
    await show(
      page,
      town,
      [
        box('white-space:normal', 'whole'),
        box('overflow:auto'),
        box(
          'overflow:hidden; text-overflow:ellipsis',
          'An address that is too long',
          'data-truncate title="An address that is too long"',
        ),
        box('visibility:hidden; overflow:hidden'),
        box('position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%)', 'for readers'),
        '<a href="#main" style="position:absolute; left:-9999px">Skip to content</a>',
        '<span style="line-height:1; display:inline-block; overflow:hidden">Ågjq</span>',
      ].join(''),
    );
    expect(await findTextFaults(page)).toEqual([]);
  });
});

test.describe('the town', () => {
  test('has keys in every state', async ({ town }) => {
    const { api } = await town.signIn(ADMIN_EMAIL);
    const stateOf = async (comment: string) =>
      (await api.GET('/v1/keys/{keyId}', { params: { path: { keyId: town.key(comment).id } } })).data;
    expect((await stateOf('Build agents, eu-west')).status).toBe('active');
    expect((await stateOf('CI publish: DataFactory')).status).toBe('expiring');
    expect((await stateOf('Nightly export')).status).toBe('expired');
    expect(await stateOf('Laptop, temporary')).toMatchObject({
      status: 'disabled',
      disabledReason: 'In repair',
    });
    expect(await stateOf('Imported from the old gallery')).toMatchObject({ access: 'full', expiresAt: null });
  });

  test('lets its people in, each with the rights of his role', async ({ asAdmin, asMember, page }) => {
    const whoIs = async (visitor: Page) => {
      await visitor.goto('/invitation');
      return await visitor.evaluate(async () => {
        const answer = await fetch('/v1/session');
        return answer.ok
          ? ((await answer.json()) as { account: { email: string } }).account.email
          : answer.status;
      });
    };
    expect([await whoIs(asAdmin), await whoIs(asMember), await whoIs(page)]).toEqual([
      ADMIN_EMAIL,
      MEMBER_EMAIL,
      401,
    ]);
  });

  test('can have ten thousand people more', async ({ startSite }) => {
    const site = await startSite({ town: 'many' });
    const { api } = await site.signIn();
    const { data } = await api.GET('/v1/users', { params: { query: { q: 'person.09999' } } });
    expect(data.items).toHaveLength(1);
  });

  test('goes on after a stop, a year later if need be', async ({ startSite }) => {
    const site = await startSite();
    await site.stop();
    await site.start({ clockAheadMs: 400 * 86_400_000 });
    const { api } = await site.signIn();
    const keyId = site.key('Build agents, eu-west').id;
    expect((await api.GET('/v1/keys/{keyId}', { params: { path: { keyId } } })).data.status).toBe('expired');
  });
});
