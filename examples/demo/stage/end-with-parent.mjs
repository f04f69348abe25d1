// Preloaded into the applications: however the demo ends, also by SIGKILL, they end with it.
process.once('disconnect', () => process.exit(0));
process.channel?.unref();
