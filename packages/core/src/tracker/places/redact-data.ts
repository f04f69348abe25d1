import type { DumpData } from '@hangwatch/protocol';

const REDACTED = '[redacted]';

/** Names of secrets, as they look without case, dashes and underscores. Rather one too many than one too few. */
const SECRET_NAME =
  /pass(word|wd|phrase|code)|^pass$|pwd|secret|token|auth(?!or(?!i[sz]))|cookie|session|credential|apikey|privatekey|accesskey|signature|bearer|jwt|(?<!dis)card(?!inal)|^pan$|cvv|cvc|iban|ssn|^pin$|otp$/;

/** Credentials in the midst of a text: schemes with their token, JSON web tokens, users in URLs, query values. */
const SECRETS_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[^\s,;]+/gi, '$1 *'],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*)*/g, '*'],
  [/\/\/[^/@\s]+@/g, '//*@'],
  [/([?&][^=&\s]{1,100}=)[^&\s]+/g, '$1*'],
];

/**
 * What `checkpoint(label, data)` kept, as a dump shows it: values whose name looks like a secret's are replaced, credentials inside strings
 * too, and what JSON doesn't know is text.
 */
export function redactData(kept: unknown): DumpData {
  switch (typeof kept) {
    case 'string':
      return redactText(kept);
    case 'boolean':
      return kept;
    case 'number':
      return Number.isFinite(kept) ? kept : String(kept);
    case 'object':
      if (kept === null) return null;
      if (Array.isArray(kept)) return kept.map(redactData);
      return Object.fromEntries(
        Object.entries(kept).map(([key, value]) => [key, isSecretName(key) ? REDACTED : redactData(value)]),
      );
    default:
      // bigint, symbol, undefined
      return redactText(String(kept));
  }
}

function isSecretName(key: string): boolean {
  return SECRET_NAME.test(key.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

function redactText(text: string): string {
  const safe = SECRETS_IN_TEXT.reduce((all, [pattern, by]) => all.replace(pattern, by), text);
  return safe.replace(/\d(?:[ -]?\d){12,18}/g, (digits) => (isCardNumber(digits) ? '*' : digits));
}

/** The check digit that payment cards have. https://en.wikipedia.org/wiki/Luhn_algorithm */
function isCardNumber(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((all, digit, i) => all + (i % 2 === 0 ? digit : digit > 4 ? 2 * digit - 9 : 2 * digit), 0);
  return sum % 10 === 0;
}
