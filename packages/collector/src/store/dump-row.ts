import { cleanText } from '@hangwatch/report';
import type { NewDump, StoredDump } from './dump-store.ts';
import type { DumpRow, NewDumpRow } from './dump-tables.ts';

/** The row of a new dump. */
export function rowOf({ dump, json, receivedAt }: NewDump): NewDumpRow {
  const { process, verdict, requests } = dump;
  return {
    id: dump.id,
    kind: dump.kind,
    at: dump.at,
    received_at: receivedAt.getTime(),
    service: cleanText(process.service, 100),
    hostname: cleanText(process.hostname, 100),
    pid: process.pid,
    evidence: verdict.evidence,
    summary: cleanText(verdict.summary, 1_000),
    fingerprint: verdict.fingerprint === undefined ? null : cleanText(verdict.fingerprint, 200),
    stuck: requests.filter((request) => request.state === 'stuck').length,
    in_flight: requests.length,
    size: json.length,
    body: json,
  };
}

/** What lists show of a row. Drivers return 64-bit integers as strings or numbers. */
export function storedDumpOf(row: DumpRow): StoredDump {
  const { service, hostname, evidence, summary, fingerprint } = row;
  return {
    position: Number(row.position),
    id: row.id,
    kind: row.kind,
    at: row.at,
    receivedAt: new Date(Number(row.received_at)).toISOString(),
    process: { service, hostname, pid: Number(row.pid) },
    verdict: { evidence, summary, ...(fingerprint === null ? {} : { fingerprint }) },
    stuck: Number(row.stuck),
    inFlight: Number(row.in_flight),
    size: Number(row.size),
  };
}
