/** `Symbol.for` of the function that answers while the main thread is paused: the watchdog finds it by name, through the inspector. */
export const PAUSED_EVIDENCE = 'hangwatch.paused-evidence';
