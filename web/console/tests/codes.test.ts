// Codes of partners as files say them: what is taken, and each line that is not, by its line.
import { expect, test } from "vitest";
import { codesIn, withNamed } from "../src/pages/offers/codes-in";

test("one code a line, without blanks around it; what is none is named by its line", () => {
  const { codes, none } = codesIn("\ufeff MILK-1 \r\n\r\nMILK-2\nMILK-1\nM\u0007LK\n" + "x".repeat(256) + "\n\n");
  expect(codes).toEqual([{ code: "MILK-1", line: 1 }, { code: "MILK-2", line: 3 }, { code: "MILK-1", line: 4 }]);
  expect(none.map(({ line, why, before }) => [line, why, before])).toEqual([[2, "empty", ""], [4, "twice", "1"], [5, "bad_text", ""], [6, "text_too_long", ""]]);
});

test("a CSV with a column code gives that column, with quotes where one says a comma", () => {
  const { codes, none } = codesIn('No;"Code"\n1;A-1\n2;"B;""2"\n3;\n');
  expect(codes).toEqual([{ code: "A-1", line: 2 }, { code: 'B;"2', line: 3 }]);
  expect(none).toEqual([{ line: 4, text: "", why: "empty", before: "" }]);
});

test("a code counts bytes, not signs, and a line with a comma is one code where no head says otherwise", () => {
  expect(codesIn("\u7801".repeat(85)).none).toEqual([]);
  expect(codesIn("\u7801".repeat(86)).none.map((one) => one.why)).toEqual(["text_too_long"]);
  expect(codesIn("A,1").codes).toEqual([{ code: "A,1", line: 1 }]);
});

test("what the home names is shown by the line of the file, and nothing twice", () => {
  const { codes, none } = codesIn("A\n\nB\nA\nC");
  const all = withNamed(none, codes, [{ line: 3, upload: "autumn" }, { line: 4, upload: "spring" }], "autumn");
  expect(all.map(({ line, text, why, before }) => [line, text, why, before])).toEqual([[2, "", "empty", ""], [4, "A", "twice", "1"], [5, "C", "known", "spring"]]);
});
