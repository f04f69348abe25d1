import type { ChannelSubscriptions } from './channel-subscriptions.ts';
import { fileText } from './file-text.ts';
import { type CurrentRecord, watchTracedCalls } from './traced-calls.ts';
import { urlText } from './url-text.ts';

interface ImportContext {
  readonly url?: unknown;
}

/** Dynamic imports. Node 20 does not tell of them: there the loader's frames do (`waits-in-stacks.ts`). */
export function watchModuleImports(subscriptions: ChannelSubscriptions, current: CurrentRecord): void {
  watchTracedCalls<ImportContext>(
    'module.import',
    { type: 'import', label: ({ url }) => `import ${specifierText(url)}` },
    subscriptions,
    current,
  );
}

/** A specifier without what may be in a URL's query, or in the code of a `data:` URL. */
export function specifierText(specifier: unknown): string {
  if (typeof specifier !== 'string') return 'of a module';
  if (specifier.startsWith('data:')) return 'data:…';
  if (specifier.startsWith('file:')) return fileText(specifier);
  const url = /^(\w+:\/\/[^/?#]*)(.*)$/s.exec(specifier);
  if (url !== null) return urlText(url[1] ?? '', url[2] ?? '');
  return specifier.replace(/[?#].*$/s, '').slice(0, 500);
}
