// The editor of conditions and of playbooks: one line or many, with what is wrong shown where it is.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder as placeholderOf } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { useWords } from "../words";

export type Problem = { line: number; column: number; message: string };
export type Word = { label: string; detail?: string; type?: "function" | "variable" | "constant" | "keyword" };

const style = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--indigo)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--gold-text)" },
  { tag: tags.number, color: "var(--cinnabar)" },
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--celadon)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink-2)", fontStyle: "italic" },
  { tag: [tags.variableName, tags.name], color: "var(--ink)" },
  { tag: tags.function(tags.variableName), color: "var(--celadon)" },
  { tag: [tags.operator, tags.punctuation, tags.separator, tags.bracket], color: "var(--ink-2)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)" },
  ".cm-content": { caretColor: "var(--ink)", padding: "10px 0" },
  ".cm-line": { padding: "0 12px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-2)", border: "0" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--celadon) 4%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--celadon-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", border: "1px solid var(--line)", borderRadius: "8px", color: "var(--ink)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--celadon-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--ink-2)", fontStyle: "normal" },
  ".cm-placeholder": { color: "var(--ink-2)" },
  "& .cm-changedLine, &.cm-merge-b .cm-changedLine": { backgroundColor: "color-mix(in srgb, var(--celadon) 8%, transparent) !important" },
  "& .cm-changedText, &.cm-merge-b .cm-changedText": { background: "none !important" },
  "& .cm-deletedChunk": { backgroundColor: "color-mix(in srgb, var(--cinnabar) 8%, transparent) !important" },
  "& .cm-deletedChunk .cm-deletedText": { background: "none !important" },
  "& .cm-changeGutter .cm-changedLineGutter": { background: "var(--celadon)" },
  "& .cm-changeGutter .cm-deletedLineGutter": { background: "var(--cinnabar)" },
  "& .cm-collapsedLines": { background: "var(--sunken)", color: "var(--ink-2)", padding: "2px 12px" },
  "& .cm-collapsedLines::before, & .cm-collapsedLines::after": { content: "none" },
});

const FUNCTIONS = /^(size|within|first|last|sum|avg|min|max|median_gap|days_since|hour|weekday|clock|has|consent|audience|bucket|events|filter|map|exists|all|startsWith|endsWith|contains)\b/;
const condition = StreamLanguage.define({
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match("//")) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/)) return "string";
    if (stream.match(/^\d+(\.\d+)?/)) return "number";
    if (stream.match(/^(&&|\|\||[=!<>]=|[<>!?:+\-*/%])/)) return "operator";
    if (stream.match(/^(in|true|false|null)\b/)) return "keyword";
    if (stream.match(FUNCTIONS)) return "propertyName";
    if (stream.match(/^[A-Za-z_@][\w]*/)) return "variableName";
    stream.next();
    return null;
  },
});

const complete = (words: () => Word[]) => (context: CompletionContext) => {
  const before = context.matchBefore(/[\w.@"]+/);
  if (!before && !context.explicit) return null;
  return { from: before?.from ?? context.pos, options: words(), validFor: /^[\w.@"]*$/ };
};

export default function Editor({
  kind,
  value,
  onChange,
  problems = [],
  words = [],
  label,
  placeholder,
  height,
  original,
  readOnly = false,
}: {
  kind: "condition" | "yaml";
  value: string;
  onChange?: (next: string) => void;
  problems?: Problem[];
  words?: Word[];
  label: string;
  placeholder?: string;
  height?: string;
  /** What it is compared with: shown beside each change. */
  original?: string | undefined;
  readOnly?: boolean;
}) {
  const { t } = useWords();
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const known = useRef(words);
  known.current = words;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is made anew only where its kind changes; what is in it goes in below.
  useEffect(() => {
    if (!box.current) return;
    const extensions: Extension[] = [
      history(),
      drawSelection(),
      bracketMatching(),
      closeBrackets(),
      indentOnInput(),
      highlightSelectionMatches(),
      syntaxHighlighting(style),
      look,
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...searchKeymap, ...(kind === "yaml" ? [indentWithTab] : [])]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) change.current?.(update.state.doc.toString());
      }),
      EditorState.readOnly.of(readOnly),
      EditorState.phrases.of({ "$ unchanged lines": t("playbook.same_lines") }),
      ...(placeholder ? [placeholderOf(placeholder)] : []),
      ...(kind === "condition"
        ? [condition, EditorView.lineWrapping, autocompletion({ override: [complete(() => known.current)], icons: false })]
        : [yaml(), lineNumbers(), highlightActiveLine(), lintGutter()]),
      ...(original === undefined ? [] : [unifiedMergeView({ original, mergeControls: false, collapseUnchanged: { margin: 3 } })]),
      ...(height ? [EditorView.theme({ "&": { height } })] : []),
    ];
    const made = new EditorView({ parent: box.current, state: EditorState.create({ doc: value, extensions }) });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [kind, original, readOnly, height, label]);
  useEffect(() => {
    const made = view.current;
    if (made && made.state.doc.toString() !== value) made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    const made = view.current;
    if (!made) return;
    const { doc } = made.state;
    made.dispatch(
      setDiagnostics(
        made.state,
        problems.map((problem) => {
          const line = doc.line(Math.max(1, Math.min(doc.lines, problem.line)));
          const from = Math.min(line.to, line.from + Math.max(0, problem.column - 1));
          return { from, to: Math.max(from, Math.min(line.to, from + 1)), severity: "error" as const, message: problem.message };
        }),
      ),
    );
  }, [problems]);
  return <div ref={box} className="editor" />;
}
