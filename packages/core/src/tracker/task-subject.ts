import type { Subject } from './subject.ts';

/** A job of the application's own: nobody has sent it and nobody waits for an answer. It ends when its function has. */
export class TaskSubject implements Subject {
  readonly method = 'TASK';
  readonly path: string;
  readonly requestId = undefined;
  readonly traceId = undefined;
  readonly bytesMovedMs: number;

  /** @param nowMs the shared clock */
  constructor(name: string, nowMs: number) {
    this.path = name;
    this.bytesMovedMs = nowMs;
  }

  get shownPath(): string {
    return this.path;
  }

  entered(): void {
    // Nothing of it is anybody else's: there is nothing to stamp and nothing to count.
  }

  nameBy(): undefined {
    return undefined;
  }

  isIgnoredBy(): boolean {
    return false;
  }

  isOpenEnded(): boolean {
    return false;
  }

  isLost(): boolean {
    return false;
  }

  howEnded(): undefined {
    return undefined;
  }

  bytesMoved(): boolean {
    return false;
  }

  client(): undefined {
    return undefined;
  }

  listenedEvent(): undefined {
    return undefined;
  }

  cutOff(): undefined {
    return undefined;
  }

  answer(): boolean {
    return false;
  }
}
