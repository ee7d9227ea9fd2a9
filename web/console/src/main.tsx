// The console begins: words in the reader's language, then the frame.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Refusal } from "@zhiyin/api";
import { App, ConfigProvider } from "antd";
import { StrictMode, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";
import { still, tokens, useDark } from "./light";
import "./look.css";
import { router } from "./router";
import { begin, useWords } from "./words";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: true,
      // A refusal stays one; only what did not reach the home, or broke there, is asked again.
      retry: (count, error) => count < 2 && !(error instanceof Refusal && error.status >= 400 && error.status < 500),
      retryDelay: (count) => 500 * 2 ** count,
    },
  },
});

type AntdWords = NonNullable<React.ComponentProps<typeof ConfigProvider>["locale"]>;

function Console() {
  const dark = useDark();
  const { lang } = useWords();
  const [antdWords, setAntdWords] = useState<AntdWords>();
  useEffect(() => {
    let current = true;
    void (lang === "zh" ? import("antd/locale/zh_CN") : import("antd/locale/en_US")).then((loaded) => current && setAntdWords(loaded.default));
    return () => {
      current = false;
    };
  }, [lang]);
  const look = useMemo(() => tokens(dark), [dark]);
  return (
    <ConfigProvider theme={look} {...(antdWords ? { locale: antdWords } : {})} button={{ autoInsertSpace: false }} wave={{ disabled: still() }}>
      <App>
        <RouterProvider router={router} />
      </App>
    </ConfigProvider>
  );
}

const element = document.getElementById("root");
if (element) {
  void begin().then(() =>
    createRoot(element).render(
      <StrictMode>
        <QueryClientProvider client={client}>
          <Console />
        </QueryClientProvider>
      </StrictMode>,
    ),
  );
}
