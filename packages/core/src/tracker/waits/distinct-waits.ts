import type { DumpWait } from '@hangwatch/protocol';

/** One call told by two sources (an HTTP request, and the socket that it is waiting for) is shown once, as the one that says more. */
export function distinctWaits(waits: readonly DumpWait[]): DumpWait[] {
  return waits.filter(({ label }, index) =>
    waits.every((other, at) => {
      if (at === index) return true;
      return other.label === label ? at > index : !other.label.endsWith(`, ${label}`);
    }),
  );
}
