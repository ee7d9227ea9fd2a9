// To whom a conversation is handed on: somebody of the staff by their code, chosen from those who can be seen, or typed.
import { useQueries, useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";
import { AutoComplete, Button, Modal } from "antd";
import { useState } from "react";
import { Field } from "../../frame/sign-in";
import { called } from "../../format";
import { useMay } from "../../home";
import { useWords, word } from "../../words";

/** How many places are asked who works there. */
const PLACES_MOST = 30;

export default function Hand({ now, close, hand }: { now: string | undefined; close: () => void; hand: (to: string | null) => Promise<unknown> }) {
  const { t } = useWords();
  const may = useMay();
  const [to, setTo] = useState("");
  const [busy, setBusy] = useState(false);
  const people = useQuery({ queryKey: ["people"], enabled: may("keys_manage"), queryFn: ({ signal }) => got(api.GET("/v1/people", { signal })) });
  const tree = useQuery({ queryKey: ["places"], enabled: may("places_read"), queryFn: ({ signal }) => got(api.GET("/v1/places", { signal })) });
  const staffed = (tree.data?.places ?? []).filter((place) => place.staff > 0).slice(0, PLACES_MOST);
  const places = useQueries({
    queries: staffed.map((place) => ({
      queryKey: ["place", place.code],
      queryFn: ({ signal }: { signal: AbortSignal }) => got(api.GET("/v1/places/{code}", { params: { path: { code: place.code } }, signal })),
    })),
  });
  const names = new Map((people.data?.items ?? []).flatMap((one) => (one.staff ? [[one.staff, one.name] as const] : [])));
  const options = [
    ...new Map(
      places.flatMap(({ data }) =>
        (data?.staff_codes ?? [])
          .filter((one) => one.works && one.code !== now)
          .map((one) => [one.code, { value: one.code, label: [one.code, names.get(one.code), word("role", one.role), called(data?.name, data?.code)].filter(Boolean).join(" · ") }] as const),
      ),
    ).values(),
  ];
  const go = async (next: string | null) => {
    setBusy(true);
    await hand(next);
    setBusy(false);
  };
  return (
    <Modal
      open
      title={t("inbox.hand")}
      onCancel={close}
      footer={
        <>
          {now ? (
            <Button disabled={busy} onClick={() => void go(null)}>
              {t("inbox.put_back")}
            </Button>
          ) : null}
          <Button type="primary" loading={busy} disabled={to.trim() === ""} onClick={() => void go(to.trim())}>
            {t("inbox.hand")}
          </Button>
        </>
      }
    >
      <Field label={t("inbox.hand_to")} hint={t("inbox.hand_say")}>
        {(id, described) => (
          <AutoComplete
            id={id}
            aria-describedby={described}
            style={{ width: "100%" }}
            maxLength={64}
            value={to}
            onChange={setTo}
            options={options}
            filterOption={(typed, option) => (option?.label ?? "").toLowerCase().includes(typed.toLowerCase())}
          />
        )}
      </Field>
    </Modal>
  );
}
