// The older versions are installed beside the newer ones under other names; what the suite uses of both has the same types.
declare module 'express4' {
  export { default } from 'express';
}
declare module 'koa2' {
  export { default } from 'koa';
}
