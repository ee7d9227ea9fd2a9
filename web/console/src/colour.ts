// The colour that a variable stands for now: charts cannot follow variables by themselves.
export const colour = (variable: string): string => {
  const name = /^var\((--[\w-]+)\)$/.exec(variable)?.[1] ?? variable;
  return name.startsWith("--") ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : variable;
};
