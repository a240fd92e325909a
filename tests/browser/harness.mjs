// A browser, a page of the playground in it, and what every page is watched for: events of the Content-Security-Policy,
// requests to other hosts, and errors of its scripts. None of them may happen, whatever a test is about.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

export const HUB = process.env.HUB_URL ?? 'http://127.0.0.1:8080';
/** Where the page is: the hub's own, unless somebody works on the page. */
export const ORIGIN = process.env.PAGE_URL ?? HUB;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Opens the page in a new profile, hands it to a test, and looks at what was noted meanwhile. */
export async function opened(test, { at = '#/ask', width = 1440, height = 900, prepare = async () => {}, tolerates = [], ...options } = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'samverka-profile-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: FLAGS,
    viewport: { width, height },
    locale: 'sv-SE',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const noted = { violations: [], foreign: [], errors: [] };
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    await page.exposeFunction('__violation', (text) => noted.violations.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => window.__violation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
    });
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(`${ORIGIN}/`) && !address.startsWith(`blob:${ORIGIN}/`)) noted.foreign.push(address);
    });
    page.on('pageerror', (error) => noted.errors.push(error.message));
    await prepare(page, context);
    await page.goto(`${ORIGIN}/playground${at}`);
    await page.locator('main').waitFor();
    await test(page, context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
  assert.deepEqual(noted.violations, [], 'the Content-Security-Policy was violated');
  assert.deepEqual(noted.foreign, [], 'another host was asked');
  assert.deepEqual(
    noted.errors.filter((error) => !tolerates.some((tolerated) => tolerated.test(error))),
    [],
    'a script failed',
  );
}

/** All text of the page, open shadow roots, attributes and values of inputs with it. */
export const everything = (page) =>
  page.evaluate(() => {
    const said = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) said.push(node.data);
      if (node.nodeType !== Node.ELEMENT_NODE && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE && node.nodeType !== Node.DOCUMENT_NODE) return;
      for (const attribute of node.attributes ?? []) said.push(attribute.value);
      if (node instanceof HTMLInputElement) said.push(node.value);
      if (node.shadowRoot) walk(node.shadowRoot);
      for (const child of node.childNodes) walk(child);
    };
    walk(document);
    return said.join('\n');
  });

/** Waits until the question is answered. */
export async function answered(page) {
  await page.locator('.meta:not(.is-running)').first().waitFor();
}

export async function run(page) {
  await page.getByRole('button', { name: /^(Kör|Run)/ }).click();
  await answered(page);
}

/** Writes a question and its variables as a person does. */
export async function write(page, query, variables) {
  const put = async (name, text) => {
    await page.getByRole('textbox', { name, exact: true }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(text);
    await page.keyboard.press('Escape');
  };
  await put(/^(Fråga|Query)$/, query);
  if (variables !== undefined) await put(/^(Variabler|Variables)$/, JSON.stringify(variables));
}

export const persona = (page, name) => page.getByRole('radio', { name, exact: false }).first();

/** Becomes the persona of this code. */
export const become = (page, code) => page.locator(`input[name=persona][value="${code}"]`).check();

/** What axe finds: nothing, it is hoped. It is brought in behind the policy's back, which allows no other script. */
export async function findings(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice'] }).then(r => JSON.stringify(r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | '))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  return JSON.parse(result.value);
}

export const picture = (page, name, options = {}) => page.screenshot({ path: join(process.env.PICTURES ?? tmpdir(), `${name}.png`), ...options });

// ---- the hub, asked past the page

const json = { 'Content-Type': 'application/json' };

export const got = async (path) => (await fetch(HUB + path)).json();

export async function token(code, ttl) {
  const body = JSON.stringify({ persona: code, ...(ttl ? { ttl } : {}) });
  return (await (await fetch(`${HUB}/sandbox/token`, { method: 'POST', headers: json, body })).json()).token;
}

export async function ask(code, purpose, query, variables = {}) {
  const headers = { ...json, Authorization: `Bearer ${await token(code)}`, ...(purpose ? { 'Samverka-Purpose': purpose } : {}) };
  return (await fetch(`${HUB}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json();
}

export const childOf = async (key) => (await got('/sandbox/children')).find((child) => child.key === key);
