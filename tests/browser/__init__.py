"""The pages in a real browser: Chromium, driven by Playwright. NO_BROWSER=1 leaves them out."""
