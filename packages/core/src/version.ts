declare const __HANGWATCH_VERSION__: string | undefined;

/** This package's version. The build writes it in: read from package.json at run time, a bundle would find another one, or none. */
export const HANGWATCH_VERSION: string =
  typeof __HANGWATCH_VERSION__ === 'string' ? __HANGWATCH_VERSION__ : '0.0.0-source';
