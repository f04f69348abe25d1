const VERB =
  /^(select|insert|update|delete|replace|merge|call|exec|execute|begin|start|commit|rollback|savepoint|set|show|use|with|create|alter|drop|truncate|lock|unlock|explain|analyze|vacuum|prepare|deallocate|declare|fetch|copy|grant|revoke|optimize|kill|waitfor|values|load|describe|listen|notify|refresh)\b/i;
/** The name that follows one of these is a table's or a procedure's. */
const TABLE = /\b(?:from|into|update|join|table|call|exec(?:ute)?)\s+([\w$.[\]"`]+)/i;
/**
 * A statement up to the first thing that may be a literal. How quotes are escaped differs between dialects, so what comes after the first
 * one is not trusted at all. Double quotes around a plain name are a name.
 */
const BEFORE_LITERALS =
  /^(?:--[^\n]*|#[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/|"[A-Za-z_][\w$]*"|\$(?![\w$])|-(?!-)|\/(?!\*)|[^'"$\-/#])*/;
const COMMENTS = /--[^\n]*|#[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//g;
const NAME = /^[A-Za-z_][\w$.]{0,79}$/;
const LONGEST = 4_096;

/**
 * What a dump may say of a SQL statement: its verb and the first table, and nothing that stands in it as a value.
 *
 * @example
 * statementShape("select * from users where email = 'a@b.c'") // 'SELECT users'
 */
export function statementShape(statement: unknown): string {
  if (typeof statement !== 'string') return 'a statement';
  const bare = (BEFORE_LITERALS.exec(statement.slice(0, LONGEST))?.[0] ?? '').replace(COMMENTS, ' ').trimStart();
  const verb = VERB.exec(bare)?.[1]?.toUpperCase();
  if (verb === undefined) return 'a statement';
  const table = TABLE.exec(bare)?.[1]?.replace(/["`[\]]/g, '');
  return table !== undefined && NAME.test(table) ? `${verb} ${table}` : verb;
}
