// The bug: each further word doubles the ways in which the expression can be tried, and it tries them all before it gives up.
const STREET = /^([a-z]+\s?)+$/i;

/** Whether that is the name of a street: letters and single spaces. */
export function isStreet(text) {
  return STREET.test(text); // mark: expression-backtracks
}
