// The access log as the data protection officer reads it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opened, run } from './harness.mjs';

test('each look leaves a row, whose receipt this tab can check', async () => {
  await opened(
    async (page) => {
      await page.locator('.proof').waitFor();
      for (const looker of ['malmo-soc', 'skola']) {
        const before = await page.locator('.link-row').count();
        await page.getByLabel('Läs om barnet som').selectOption(looker);
        await page.getByRole('button', { name: 'Läs nu' }).click();
        await page.waitForFunction((count) => document.querySelectorAll('.link-row').length > count, before);
      }
      assert.equal(await page.locator('.receipt-ok').count(), 2);
      assert.equal(await page.locator('.receipt-bad').count(), 0);
      await page.getByText('Kvittona stämmer med loggen').waitFor();
      const whole = page.locator('.proof-chain');
      const rows = async () => Number((await whole.textContent()).match(/(\d+) rader, obruten/)[1]);
      const before = await rows();
      await page.getByRole('button', { name: 'Kontrollera' }).click();
      await page.waitForFunction((count) => Number(document.querySelector('.proof-chain')?.textContent.match(/(\d+) rader/)?.[1]) > count, before);
    },
    { at: '#/ledger' },
  );
});

test('a chain that is broken is said', async () => {
  await opened(
    async (page) => {
      await page.locator('.proof.is-sound').waitFor();
      await page.route('**/sandbox/ledger', (route) => route.fulfill({ json: { intact: false, rows: null, lanes: null } }));
      await page.getByRole('button', { name: 'Kontrollera' }).click();
      await page.getByText('den är bruten').waitFor();
      await page.locator('.proof.is-broken').waitFor();
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    },
    { at: '#/ledger' },
  );
});

test('a row that was altered does not match its receipt', async () => {
  await opened(
    async (page) => {
      await page.locator('.proof').waitFor();
      await page.getByRole('button', { name: 'Läs nu' }).click();
      await page.locator('.receipt-ok').first().waitFor();
      await page.route('**/graphql', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).replaceAll(/"hash":"./g, '"hash":"x') });
      });
      await page.getByRole('button', { name: 'Kontrollera' }).click();
      await page.getByText('Loggen stämmer inte').waitFor();
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    },
    { at: '#/ledger' },
  );
});

test('what was asked in the workbench has a receipt here', async () => {
  await opened(async (page) => {
    await page.locator('input[value=malmo-soc]').check();
    await page.locator('.child-choice select').selectOption('missing');
    await run(page);
    await page.getByRole('link', { name: 'Åtkomstlogg' }).click();
    await page.locator('.receipt-ok').first().waitFor();
  });
});
