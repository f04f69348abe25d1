import { cleanText, formatDuration } from '@hangwatch/report';
import { CollectorClient } from '../collector-client.ts';
import { type Answer, ask } from './ask.ts';
import type { Check, Examination } from './check.ts';
import { stageInChild } from './stage-in-child.ts';

const passed = (name: string, detail: string): Check => ({ name, ok: true, detail });
const failed = (name: string, detail: string): Check => ({ name, ok: false, detail: cleanText(detail, 500) });

/** Finds out what a URL is, an application's self-test or a collector, and whether it does what it should. */
export async function examine(url: URL, token: string | undefined): Promise<Examination> {
  let answer: Answer;
  try {
    answer = await ask(url, token);
  } catch (error) {
    return { url: url.href, kind: 'unknown', checks: [failed('answers', messageOf(error))] };
  }
  return answer.body?.['hangwatch'] === 'self-test' ? examineApplication(url, answer) : examineCollector(url, token);
}

/** Asking it was the test: a hang was staged in the application itself. */
function examineApplication(url: URL, { status, body = {} }: Answer): Examination {
  const examination = { url: url.href, kind: 'application' } as const;
  const checks = [passed('answers', `HTTP ${status}`)];
  if (status === 401) {
    return {
      ...examination,
      checks: [...checks, failed('takes the token', 'it wants another: --token or HANGWATCH_TOKEN')],
    };
  }
  const { dumpId, detectedMs, acknowledgedMs, collector, step, message, skipped } = body;
  if (body['ok'] !== true || typeof dumpId !== 'string') {
    const why = String(message ?? skipped ?? `HTTP ${status}`);
    if (step === 'NOT_DELIVERED') checks.push(passed('its watchdog finds a staged hang', 'with its stack'));
    const name =
      step === 'NOT_DELIVERED' ? 'its collector acknowledges the report' : 'its watchdog finds a staged hang';
    return { ...examination, checks: [...checks, failed(name, why)] };
  }
  checks.push(
    passed('its watchdog finds a staged hang', `after ${formatDuration(Number(detectedMs))}`),
    passed(
      'its collector acknowledges the report',
      `${cleanText(String(collector), 200)}, after ${formatDuration(Number(acknowledgedMs))}, dump ${cleanText(dumpId, 128)}`,
    ),
  );
  return { ...examination, checks, dumpId };
}

async function examineCollector(url: URL, token: string | undefined): Promise<Examination> {
  const client = new CollectorClient({ collector: url.href, token }, {});
  const checks: Check[] = [];
  let dumpId: string | undefined;
  const attempt = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      checks.push(passed(name, await work()));
      return true;
    } catch (error) {
      checks.push(failed(name, messageOf(error)));
      return false;
    }
  };
  const base = url.href.endsWith('/') ? url : new URL(`${url.href}/`);
  const healthy = await attempt('answers', async () => {
    const { status, body } = await ask(new URL('healthz', base), token);
    if (status === 200 && body?.['status'] === 'ok') return 'its store works';
    throw new Error(`neither a collector nor a self-test: HTTP ${status}`);
  });
  if (!healthy) return { url: url.href, kind: 'unknown', checks };
  const steps: [string, () => Promise<string>][] = [
    [
      'takes the token',
      async () => {
        await client.heads({ limit: 1 });
        return token === undefined ? 'none is given, and none is wanted' : 'reading is allowed';
      },
    ],
    [
      'acknowledges a hang that is staged in a child process',
      async () => {
        const staged = await stageInChild(url.href, token);
        dumpId = staged.dumpId;
        return `after ${formatDuration(staged.acknowledgedMs)}, dump ${dumpId}`;
      },
    ],
    ['gives it back', async () => proveStored(client, dumpId)],
  ];
  for (const [name, work] of steps) if (!(await attempt(name, work))) break;
  return { url: url.href, kind: 'collector', checks, dumpId };
}

/** Whether the collector has the dump that an application's self-test has sent: the same collector, not one of the same name. */
export async function examineDelivery(
  collector: Examination,
  dumpId: string,
  token: string | undefined,
): Promise<Check> {
  const name = "has the application's report";
  try {
    return passed(name, await proveStored(new CollectorClient({ collector: collector.url, token }, {}), dumpId));
  } catch (error) {
    return failed(name, messageOf(error));
  }
}

async function proveStored(client: CollectorClient, dumpId: string | undefined): Promise<string> {
  const dump = dumpId === undefined ? undefined : await client.dump(dumpId);
  if (dump?.selfTest === true)
    return `from ${cleanText(dump.process.service, 60)} on ${cleanText(dump.process.hostname, 60)}`;
  throw new Error(`it has no dump ${dumpId}`);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
