const key = 'module';
/*@tla*/ await new Promise((resolve) => {
  globalThis[Symbol.for(key)] = resolve;
});
