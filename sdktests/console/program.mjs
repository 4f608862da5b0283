// Walks through the console of a polymq server in Chromium, as people would.
//
//   node program.mjs check console    prints a line for each check and ends with 1 if any failed
//   node program.mjs check enforced   on a server that verifies signatures (enforced.mjs) and enforces policies
//   node program.mjs check verified   on one that only verifies signatures
//
// POLYMQ_ENDPOINT is the server's URL. POLYMQ_SCREENSHOTS names a folder for pictures of every page; without it
// none are taken. CHROMIUM names the browser, else it is the chromium on the path.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { enforced, verified } from './enforced.mjs';
import { walks } from './walks.mjs';

const endpoint = process.env.POLYMQ_ENDPOINT;
const pictures = process.env.POLYMQ_SCREENSHOTS;
if (pictures) mkdirSync(pictures, { recursive: true });

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });
let failed = 0;
for (const { name, options, walk } of { enforced, verified }[process.argv[3]] ?? walks) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults = []; // what the browser complains of: errors of scripts, refusals by the content policy
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && !/status of 4\d\d/.test(message.text()) && faults.push(message.text()));
  let taken = 0;
  const picture = async (title) => {
    if (pictures) await page.screenshot({ path: `${pictures}/${name}-${String(++taken).padStart(2, '0')}-${title}.png`, fullPage: true });
  };
  try {
    await walk({ page, endpoint, picture, suffix: name.replaceAll('_', '-') });
    if (faults.length > 0) throw new Error(`the browser complains: ${faults.join(' | ')}`);
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    await picture('failed');
    console.log(`FAIL ${name}: ${String(error.stack ?? error).replace(/\s+/g, ' ').slice(0, 1500)}`);
  }
  await context.close();
}
await browser.close();
process.exitCode = failed > 0 ? 1 : 0;
