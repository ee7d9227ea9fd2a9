// What a press does: it is said once it was done, what was read is read anew, and a refusal is said in the home's words.
import { useQueryClient } from "@tanstack/react-query";
import { Refusal } from "@zhiyin/api";
import { App } from "antd";
import { useWords } from "../words";

export function useAct(): (doing: () => Promise<unknown>, said: string) => Promise<boolean> {
  const { t } = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  return async (doing, said) => {
    try {
      await doing();
      message.success(said);
      await client.invalidateQueries();
      return true;
    } catch (error) {
      message.error(error instanceof Refusal ? [error.title, error.detail].filter(Boolean).join(" ") || t("state.wrong") : t("state.wrong"));
      return false;
    }
  };
}
