// Whether something of a member is masked, and whether a reason to see it is one that the home takes.

/** Stars of the home's own: four and more or three before an address, and the wide one behind a name. */
export const isMasked = (value: string): boolean => value.includes("***") || value.endsWith("\uff0a");

/** 4 to 200 characters that name nobody by a number or an address; the home looks for names besides. */
export function reasonFits(reason: string): boolean {
  const said = [...reason.trim()];
  return said.length >= 4 && said.length <= 200 && !/\d{6}|@/.test(reason);
}
