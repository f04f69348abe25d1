/** `lock "logging"`; `import ./feature.mjs`. */
export function resourceText(type: string, name: string): string {
  if (name === '') return `a ${type}`;
  return type === 'import' ? `import ${name}` : `${type} "${name}"`;
}
