// Types and comments above the code, so that no line of the JavaScript is on the line of its source.
export interface Row {
  readonly id: number;
  readonly name: string;
}

export type Wait<T> = () => Promise<T>;

/** Never settles. */
const never: Wait<Row> = () => new Promise<Row>(() => undefined);

export async function lookup(id: number): Promise<Row> {
  const wanted: Partial<Row> = { id };
  void wanted;
  return /*@lookup*/ await never();
}
