/** `lock "logging"`. */
export const resourceText = (type: string, name: string): string => (name === '' ? `a ${type}` : `${type} "${name}"`);
