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
