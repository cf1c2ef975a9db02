/** The API's messages are clauses; shown alone, they begin like sentences. Names such as connect:StopContact stay as they are. */
export function sentence(clause: string): string {
  const first = clause.split(" ", 1)[0] ?? "";
  return /^[a-z]+$/.test(first) ? clause.charAt(0).toUpperCase() + clause.slice(1) : clause;
}
