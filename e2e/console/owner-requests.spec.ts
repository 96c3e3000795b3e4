import { expect, expectNoAxeViolations, MEMBER_EMAIL, test, unlessEnglish } from './fixtures.ts';

const WORDS = {
  en: {
    addOwner: 'Add owner',
    account: 'Account',
    add: 'Add',
    owners: 'Owners',
    open: 'Asked to own it',
    withdraw: 'Withdraw the request to Jonas Lindqvist',
    offered: 'Packages offered',
    accept: (id: string) => `Accept ${id} for Jonas Lindqvist`,
    decline: (id: string) => `Decline ${id} for Jonas Lindqvist`,
    handOver: 'Hand over the ownership of Priya Raman',
    handOverVerb: 'Hand over',
  },
  ja: {
    addOwner: '所有者を追加',
    account: 'アカウント',
    add: '追加',
    owners: '所有者',
    open: '所有を依頼中',
    withdraw: 'Jonas Lindqvist への依頼を取り消す',
    offered: '所有の依頼',
    accept: (id: string) => `Jonas Lindqvist が ${id} の所有者になることを承諾`,
    decline: (id: string) => `Jonas Lindqvist として ${id} の所有を辞退`,
    handOver: 'Priya Raman の所有権を譲渡',
    handOverVerb: '譲渡',
  },
} as const;

const PRIYA = 'priya.raman@hayama.example';
const GATEWAY = 'Hayama.Edge.Gateway';
const PATH = '/packages/hayama.edge.gateway';

for (const lang of ['en', 'ja'] as const) {
  const words = WORDS[lang];
  test.describe(`ownership of a package, ${lang}`, unlessEnglish(lang), () => {
    test.use({ lang });

    test('is offered, withdrawn, declined, accepted and handed over', async ({ startSite, visit }) => {
      const site = await startSite();
      const owner = await visit({ at: site, as: PRIYA });
      const asked = await visit({ at: site, as: MEMBER_EMAIL });
      const owners = owner.getByRole('region', { name: words.owners, exact: true });
      const offered = asked.getByRole('region', { name: words.offered });
      const ask = async () => {
        await owners.getByRole('button', { name: words.addOwner }).click();
        const dialog = owner.getByRole('dialog');
        await dialog.getByRole('textbox', { name: words.account }).fill(MEMBER_EMAIL);
        await dialog.getByRole('button', { name: words.add, exact: true }).click();
        await expect(owners.getByRole('list', { name: words.open })).toContainText('Jonas Lindqvist');
      };
      await owner.goto(PATH);
      await ask();
      await expectNoAxeViolations(owner);
      await owners.getByRole('button', { name: words.withdraw }).click();
      await expect(owners.getByRole('list', { name: words.open })).toHaveCount(0);

      await ask();
      await asked.goto('/packages');
      await expect(offered).toContainText(GATEWAY);
      await expectNoAxeViolations(asked);
      await offered.getByRole('button', { name: words.decline(GATEWAY) }).click();
      await expect(offered).toHaveCount(0);

      await owner.reload();
      await ask();
      await asked.goto(PATH);
      await offered.getByRole('button', { name: words.accept(GATEWAY) }).click();
      await expect(
        asked.getByRole('region', { name: words.owners, exact: true }).getByText('Jonas Lindqvist'),
      ).toBeVisible();

      await owner.reload();
      await owners.getByRole('button', { name: words.handOver }).click();
      const dialog = owner.getByRole('dialog');
      await dialog.getByRole('textbox', { name: words.account }).fill('no-such-account');
      await dialog.getByRole('button', { name: words.handOverVerb, exact: true }).click();
      await expect(dialog.getByRole('textbox', { name: words.account })).toHaveAttribute(
        'aria-invalid',
        'true',
      );
    });
  });
}
