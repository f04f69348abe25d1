// Rejected, and handled, before there are hooks: import it before the package.
export const older = Promise.reject(new Error('staged'));
older.catch(() => undefined);
