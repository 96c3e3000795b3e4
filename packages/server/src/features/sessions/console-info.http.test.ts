import { call, type Harness, startHarness } from '@keyreeve/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemCaller } from '../../http/index.ts';
import { Secret } from '../../lib/secret.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await startHarness();
});
afterEach(() => harness.close());

const read = async (headers: Record<string, string> = {}) => {
  const answer = await call(harness, 'GET', '/v1/console', { headers });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<Record<string, unknown>>();
};

describe('what the console is told before anybody has signed in', () => {
  it('is the workspace by name and address, how mails go, whether the gallery is open, and where there is help, and nothing else', async () => {
    expect(await read()).toEqual({
      workspaceName: 'Default',
      url: 'http://localhost:8080',
      isSetupOpen: false,
      hasSmtp: false,
      isGalleryOpen: true,
      defaultLocale: 'en',
      supportEmail: null,
      supportUrl: null,
    });
    const { settings, defaultWorkspace } = harness.deps;
    const supportUrl = 'https://help.example/';
    await settings.update(
      systemCaller(defaultWorkspace, 'test'),
      { defaultLocale: 'ja', supportEmail: 'help@example.com', supportUrl },
      null,
    );
    expect(await read()).toMatchObject({ defaultLocale: 'ja', supportEmail: 'help@example.com', supportUrl });
    await settings.update(systemCaller(defaultWorkspace, 'test'), { galleryRead: 'authenticated' }, null);
    expect(await read()).toMatchObject({ isGalleryOpen: false });
  });

  it('says that set-up is open as long as the code of this workspace waits', async () => {
    const { workspaces, defaultWorkspace } = harness.deps;
    await workspaces.create(systemCaller(defaultWorkspace, 'test'), {
      name: 'Team',
      subdomain: 'team',
      aliases: [],
    });
    const host = 'team.keys.test';
    expect(await read({ host })).toMatchObject({ workspaceName: 'Team', isSetupOpen: true });
    expect(await read()).toMatchObject({ isSetupOpen: false });
    const code = (await workspaces.issueSetupCode(defaultWorkspace.id)).reveal();
    expect(await read()).toMatchObject({ isSetupOpen: true });
    const set = await call(harness, 'POST', '/v1/setup', {
      body: { code, email: 'ada@example.com', password: 'velvet ladder orbit', displayName: 'Ada' },
    });
    expect(set.statusCode, set.body).toBe(201);
    expect(await read()).toMatchObject({ isSetupOpen: false });
    expect(await read({ host })).toMatchObject({ isSetupOpen: true });
  });

  it('does not lead to a set-up that an administrator from the configuration has made needless', async () => {
    const { workspaces, defaultWorkspace, setup } = harness.deps;
    await workspaces.issueSetupCode(defaultWorkspace.id);
    expect(await read()).toMatchObject({ isSetupOpen: true });
    await setup.createFirstAdmin(defaultWorkspace, {
      email: 'ada@example.com',
      password: new Secret('velvet ladder orbit'),
      displayName: 'Ada',
    });
    expect(await read()).toMatchObject({ isSetupOpen: false });
  });

  it('is the same for whoever asks', async () => {
    const answer = await read({ authorization: 'Bearer nonsense', cookie: 'keyreeve_session=x' });
    expect(answer).toEqual(await read());
  });
});

describe('with an SMTP server', () => {
  it('the console learns that mails leave', async () => {
    await harness.close();
    harness = await startHarness({ environment: { KEYREEVE_SMTP_URL: 'smtp://127.0.0.1:2525' } });
    expect(await read()).toMatchObject({ hasSmtp: true });
  });
});
