// For everyone: axe on every view in both languages, keyboard alone, narrow windows, forced colours, less motion, both languages
// whole. The pictures that are kept are taken here.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { become, everything, findings, got, opened, picture, run } from './harness.mjs';

/** Every view, brought to where there is something to see. */
const VIEWS = {
  ask: async (page) => {
    await become(page, 'skola');
    await run(page);
  },
  rules: async (page) => {
    await page.waitForFunction(() => document.querySelectorAll('.matrix .cell').length > 1_600);
    await page.locator('.matrix .cell').first().click();
  },
  story: async (page) => {
    await page.locator('.picture').waitFor();
    for (let turn = 0; turn < 15; turn += 1) await page.getByRole('button', { name: /^(Framåt|Forward)$/ }).click();
    await page.waitForTimeout(700);
  },
  ledger: async (page) => {
    await page.getByRole('button', { name: /^(Läs nu|Read now)$/ }).click();
    await page.locator('.receipt-ok').first().waitFor();
    await page.locator('.link-row details summary').first().click();
  },
  guide: async (page) => {
    await page.locator('.catalogue tbody tr').first().waitFor();
  },
};

/** States of the workbench that look otherwise. */
const STATES = {
  compare: async (page) => {
    await page.getByLabel(/Jämför med|Compare with/).selectOption('skola');
    await run(page);
    await page.locator('.differences').waitFor();
  },
  examples: async (page) => {
    await page.getByRole('tab', { name: /Exempel|Examples/ }).click();
    await page.locator('.example').nth(6).click();
    await page.locator('.answer .banner').first().waitFor();
  },
  schema: async (page) => {
    await page.getByRole('tab', { name: /Schema/ }).click();
    await page.getByRole('button', { name: 'Child', exact: true }).first().click();
  },
  history: async (page) => {
    await run(page);
    await page.getByRole('tab', { name: /Historik|History/ }).click();
  },
  copying: async (page) => {
    await page.getByRole('button', { name: /Kopiera som|Copy as/ }).click();
    await page.getByRole('dialog').waitFor();
  },
  token: async (page) => {
    await page.getByRole('button', { name: /Token (gäller|valid)/ }).click();
    await page.getByRole('dialog').waitFor();
  },
  failed: async (page) => {
    await page.getByRole('tab', { name: /Exempel|Examples/ }).click();
    await page.locator('.example').filter({ hasText: /djup|deep/ }).first().click();
    await page.locator('.errors').waitFor();
  },
};

const english = (page) => page.getByRole('button', { name: 'English' }).click();

for (const colorScheme of ['light', 'dark']) {
  for (const language of ['sv', 'en']) {
    test(`axe finds nothing, ${language}, ${colorScheme}`, async () => {
      const all = [...Object.entries(VIEWS).map(([name, go]) => [name, name, go]), ...Object.entries(STATES).map(([name, go]) => ['ask', name, go])];
      for (const [view, name, go] of all) {
        await opened(
          async (page) => {
            await page.locator('.card, .page-head, .story-head').first().waitFor();
            if (language === 'en') await english(page);
            await go(page);
            assert.deepEqual(await findings(page), [], `${name}, ${language}, ${colorScheme}`);
            await page.evaluate(() => scrollTo(0, 0));
            if (language === 'sv') await picture(page, `${name}-1440${colorScheme === 'dark' ? '-dark' : ''}`);
          },
          { at: `#/${view}`, colorScheme },
        );
      }
    });
  }
}

for (const width of [390, 320]) {
  test(`nothing is scrolled sideways at ${width} pixels`, async () => {
    for (const [view, go] of Object.entries(VIEWS)) {
      await opened(
        async (page) => {
          await go(page);
          const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(wide <= window, `${view}: ${wide} in ${window}`);
          await page.evaluate(() => scrollTo(0, 0));
          await picture(page, `${view}-${width}`);
          if (width === 390) {
            await picture(page, `${view}-${width}-whole`, { fullPage: true });
            assert.deepEqual(await findings(page), [], view);
          }
        },
        { at: `#/${view}`, width, height: 844 },
      );
    }
  });
}

test('at 200 % the page is as at half the width, and nothing is scrolled sideways', async () => {
  for (const view of Object.keys(VIEWS)) {
    await opened(
      async (page) => {
        await VIEWS[view](page);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), view);
      },
      { at: `#/${view}`, width: 640, height: 450, deviceScaleFactor: 2 },
    );
  }
});

test('the tab key goes through the page from top to bottom, and leaves the editors', async () => {
  await opened(async (page) => {
    await page.locator('.card').first().waitFor();
    const stops = [];
    for (let press = 0; press < 40; press += 1) {
      await page.keyboard.press('Tab');
      stops.push(
        await page.evaluate(() => {
          let one = document.activeElement;
          while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
          return one?.getAttribute('aria-label') ?? one?.textContent?.trim().slice(0, 40) ?? '';
        }),
      );
      if (stops.at(-1) === 'Variabler') {
        // On the way the question is run; the answer is further down.
        await page.keyboard.press('Control+Enter');
        await page.locator('.answer .banner').first().waitFor();
      }
    }
    const [query, variables, response] = ['Fråga', 'Variabler', 'Svar'].map((name) => stops.lastIndexOf(name));
    assert.equal(stops[0], 'Hoppa till innehållet');
    assert.ok(query > 0 && variables > query && response > variables, stops.join(' | '));
  });
});

test('a persona is chosen, a question is run and a story is stepped with the keyboard alone', async () => {
  await opened(async (page) => {
    await page.locator('input[value=radda-barnen]').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('input[value=stadsmissionen]:checked').waitFor();
    await page.getByRole('textbox', { name: 'Fråga', exact: true }).focus();
    await page.keyboard.press('Control+Enter');
    await page.locator('.answer .banner, .errors').first().waitFor();
    await page.goto(page.url().replace(/#.*/, '#/story'));
    await page.locator('.stage').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.getByText('3/28').waitFor();
    await page.keyboard.press('Home');
    await page.getByText('1/28').waitFor();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Pausa' }).waitFor();
    await page.getByText('2/28').waitFor({ timeout: 9_000 });
  });
});

test('with forced colours what is chosen is marked', async () => {
  await opened(
    async (page) => {
      await run(page);
      for (const selector of ['.card.is-chosen', '.views a[aria-current]', '.tab[aria-selected=true]']) {
        const outline = await page.locator(selector).first().evaluate((one) => getComputedStyle(one).outlineStyle);
        assert.equal(outline, 'solid', selector);
      }
      await picture(page, 'ask-1440-forced');
    },
    { forcedColors: 'active' },
  );
});

test('where less motion is asked for nothing moves by itself', async () => {
  await opened(
    async (page) => {
      await VIEWS.story(page);
      const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running' && Number(one.effect?.getComputedTiming().duration) > 0).length);
      assert.equal(moving, 0);
    },
    { at: '#/story', reducedMotion: 'reduce' },
  );
});

test('title and language follow, and each language is whole', async () => {
  // Names and terms that stay Swedish in English: agencies, and what the page shows of documents and of the hub's own words.
  const swedish = /[åäöÅÄÖ]/;
  const names = (await got('/sandbox/personas')).flatMap((one) => [one.agency, one.agencyShort]).sort((one, other) => other.length - one.length);
  const withoutNames = (line) => names.reduce((rest, name) => rest.replaceAll(name, ''), line);
  await opened(async (page) => {
    for (const view of Object.keys(VIEWS)) {
      await page.goto(page.url().replace(/#.*/, `#/${view}`));
      await page.waitForTimeout(700);
      if ((await page.locator('html').getAttribute('lang')) === 'sv') await english(page);
      await page.waitForTimeout(300);
      assert.equal(await page.locator('html').getAttribute('lang'), 'en');
      assert.match(await page.title(), /^(Ask|Fields and roles|Story|Access log|Guide) · Samverka$/);
      const lines = await page.evaluate(() => document.querySelector('#page').innerText.split('\n'));
      const left = lines.filter((line) => swedish.test(withoutNames(line)));
      assert.deepEqual(left, [], view);
    }
  });
  await opened(async (page) => {
    const words = await everything(page);
    for (const word of ['You are asking', 'Purpose\n', 'Compare with', 'Fields and roles', 'Run the query']) assert.ok(!words.includes(word), word);
    assert.equal(await page.title(), 'Fråga · Samverka');
  });
});
