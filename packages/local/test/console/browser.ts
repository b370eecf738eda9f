import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';

/** A Chromium of this machine: `CHROMIUM`, or one on the PATH. */
function findChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      // Not by this name.
    }
  }
  return undefined;
}

const executablePath = findChromium();
export const isBrowserHere = executablePath !== undefined;
/** For the title of a suite that needs a browser. */
export const skipNote = isBrowserHere ? '' : ' (skipped: no Chromium on the PATH or in CHROMIUM)';

/**
 * Starts a browser with one page. `complaints` collects the browser's own reports: a script that
 * failed, something that the policy refused, a dialog.
 */
export async function openBrowser() {
  // Chromium's sandbox does not start for root, as which tests run in containers.
  const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, complaints, close: () => browser.close() };
}
