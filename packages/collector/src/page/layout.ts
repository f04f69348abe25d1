import { type Html, html } from './html.ts';

/** What stands around every page. `refreshSeconds` has the browser load it anew. */
export function layout(page: { title: string; body: Html; refreshSeconds?: number }): string {
  const { title, body, refreshSeconds } = page;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${refreshSeconds !== undefined && html`<meta http-equiv="refresh" content="${refreshSeconds}">`}
<title>${title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header class="top"><a class="brand" href="/">hangwatch</a></header>
<main>${body}</main>
</body>
</html>
`.toString();
}
