/** Things to undo at the end, in the reverse order of their making. */
export function cleanUp() {
  const tasks = [];
  let running;

  async function runAll() {
    for (const [what, task] of tasks.splice(0).reverse()) {
      try {
        await task();
      } catch (error) {
        console.error(`demo: could not ${what}: ${error.message}`);
      }
    }
  }

  return {
    add: (what, task) => tasks.push([what, task]),
    /** Runs them all, whatever fails on the way; at most once. */
    run: () => {
      running ??= runAll();
      return running;
    },
  };
}
