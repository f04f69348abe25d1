const kept: unknown[] = [];

export async function query(): Promise<number> {
  /*@query*/ await new Promise<void>((resolve) => {
    kept.push(resolve);
  });
  return 1;
}

export async function loadUser(): Promise<number> {
  await null;
  const user: number = /*@loadUser*/ await query();
  return user;
}

export async function handler(): Promise<void> {
  await null;
  const found: number = /*@handler*/ await loadUser();
  if (found > 1) throw new Error('unreachable');
}
