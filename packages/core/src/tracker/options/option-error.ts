import { HangwatchError } from '../../errors.ts';

/** The error for a wrong option: its name, and what is wrong with it. */
export function optionError(name: string, message: string): HangwatchError {
  return new HangwatchError('HANGWATCH_ERR_OPTION', `${name} ${message}`);
}
