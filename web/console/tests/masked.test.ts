// What is masked, and reasons to see it.
import { expect, test } from "vitest";
import { isMasked, reasonFits } from "../src/parts/masked";

test("what the home masks is known by its stars", () => {
  for (const text of ["138****1234", "z***@b.example", "****1234", "张＊", "＊"]) expect(isMasked(text), text).toBe(true);
  for (const text of ["+8613812341234", "张伟", "1*2", "", "gold"]) expect(isMasked(text), text).toBe(false);
});

test("a reason says something and names nobody", () => {
  for (const text of ["顾客来电核对", "calls back, order 1001"]) expect(reasonFits(text), text).toBe(true);
  for (const text of ["", "   a ", "call 13912345678", "to a@b.example", "x".repeat(201)]) expect(reasonFits(text), text).toBe(false);
});
