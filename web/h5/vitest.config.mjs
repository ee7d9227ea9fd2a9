export default { oxc: { jsx: { runtime: "automatic", importSource: "preact" } }, test: { include: ["tests/**/*.test.ts"] } };
