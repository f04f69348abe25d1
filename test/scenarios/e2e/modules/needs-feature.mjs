export * from './feature.mjs?chain';
