const LONGEST_LABEL = 200;

/** A label as it is shown: whatever the application gives, this does not throw. */
export function labelText(label: unknown): string {
  if (typeof label === 'string' && label.length <= LONGEST_LABEL) return label;
  try {
    return String(label).slice(0, LONGEST_LABEL);
  } catch {
    return 'a label that is no text';
  }
}
