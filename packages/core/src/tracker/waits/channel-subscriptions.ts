import diagnosticsChannel from 'node:diagnostics_channel';

type Listener = (message: unknown) => void;

/**
 * Subscriptions to diagnostics channels, ended together. What a subscriber throws would become an uncaught exception of the application's, so
 * listeners are called quietly: a call that cannot be read is not shown.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#built-in-channels
 */
export class ChannelSubscriptions {
  readonly #subscribed: [string, Listener][] = [];

  /** `M` is what the channel publishes, as far as it is read: messages come from other people's code, so read them with care. */
  on<M>(channel: string, listener: (message: M) => void): void {
    const quiet: Listener = (message) => {
      try {
        listener(message as M);
      } catch {
        return;
      }
    };
    diagnosticsChannel.subscribe(channel, quiet);
    this.#subscribed.push([channel, quiet]);
  }

  stop(): void {
    for (const [channel, listener] of this.#subscribed.splice(0)) diagnosticsChannel.unsubscribe(channel, listener);
  }
}
