import { formatDuration } from '@hangwatch/report';
import type { StoredDump } from '../store/dump-store.ts';
import { badge, timeTag } from './badge.ts';
import { type Html, html } from './html.ts';
import { layout } from './layout.ts';

const REFRESH_SECONDS = 10;

/** What {@link listPage} shows. */
export interface ListPageModel {
  dumps: readonly StoredDump[];
  now: Date;
  /** Where this is not the newest page. */
  older: boolean;
  /** Cursor of the page after this one. */
  next: string | null;
}

/** The dumps, newest first, each with its sentence. The newest page loads itself anew. */
export function listPage({ dumps, now, older, next }: ListPageModel): string {
  const body = html`
<h1>${older ? 'Older dumps' : 'Dumps'}</h1>
${dumps.length === 0 ? empty(older) : html`<ol class="dumps">${dumps.map((dump) => item(dump, now))}</ol>`}
<nav class="pages" aria-label="Pages">
${older && html`<a href="/">Newest</a>`}
${next !== null && html`<a href="/?before=${encodeURIComponent(next)}" rel="next">Older</a>`}
</nav>
${!older && html`<p class="quiet">Loads itself anew every ${REFRESH_SECONDS} s. Also: <a href="/v1/dumps?view=head">as JSON</a>, <code>hangwatch tail</code>.</p>`}`;
  return layout({ title: title(dumps, older), body, ...(older ? {} : { refreshSeconds: REFRESH_SECONDS }) });
}

function title(dumps: readonly StoredDump[], older: boolean): string {
  const [newest] = dumps;
  return older || newest === undefined ? 'hangwatch' : `${newest.verdict.summary} · hangwatch`;
}

function item(dump: StoredDump, now: Date): Html {
  const { process, stuck, inFlight } = dump;
  const ageMs = Math.max(0, now.getTime() - new Date(dump.at).getTime());
  const facts = [
    html`${timeTag(dump.at, `${formatDuration(Math.max(1_000, Math.round(ageMs / 1_000) * 1_000))} ago`)}`,
    process.service !== '' && html`<b>${process.service}</b>`,
    html`${process.hostname} · pid ${process.pid}`,
    (dump.kind === 'hang' || dump.kind === 'loop-block') && html`${stuck} stuck of ${inFlight} in flight`,
  ].filter((fact) => fact !== false);
  return html`
<li>
<a href="/dumps/${encodeURIComponent(dump.id)}">
<span class="sentence">${badge(dump)} ${dump.verdict.summary}</span>
<span class="facts">${facts.map((fact) => html`<span>${fact}</span> `)}</span>
</a>
</li>`;
}

function empty(older: boolean): Html {
  if (older) return html`<p class="empty">Nothing is older than that.</p>`;
  return html`<div class="empty">
<p>No dump has arrived: nothing hangs, or nobody reports here yet.</p>
<p class="quiet">Start an application with <code>HANGWATCH_COLLECTOR</code> set to this address.</p>
</div>`;
}
