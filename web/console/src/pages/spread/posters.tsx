// Posters of the live playbook, each drawn for a member with a code of their own.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Named } from "@zhiyin/api";
import { Button, Drawer } from "antd";
import { useEffect, useState } from "react";
import { called } from "../../format";
import { useFile, useLive } from "../../live";
import { Listed } from "../../parts/listed";
import { Card } from "../../parts/page";
import { Asked, Bones, Fault, None } from "../../parts/states";
import { Who } from "../../parts/who";
import { useAddress } from "../../router";
import { useWords } from "../../words";

type Row = { id: string; name: Named | undefined; link: string };

export default function Posters() {
  const { t } = useWords();
  const live = useLive();
  const file = useFile();
  const [{ poster = "" }, setAddress] = useAddress();
  const rows: Row[] = Object.entries(file.data?.posters ?? {}).map(([id, said]) => ({ id, name: said?.name as Named | undefined, link: typeof said?.link === "string" ? said.link : "" }));
  const open = rows.find((row) => row.id === poster);
  return (
    <Asked of={live}>
      {() => (
        <>
          <Card flush>
            {rows.length === 0 && !file.isFetching ? (
              <None title={t("posters.none")}>{t("posters.none_say")}</None>
            ) : (
              <Listed
                name="posters"
                views={["tab", "find", "sort"]}
                label={t("posters.title")}
                rows={rows}
                id={(row) => row.id}
                loading={file.isFetching}
                open={(row) => setAddress({ poster: row.id })}
                columns={[
                  {
                    key: "name",
                    title: t("posters.name"),
                    by: (row) => called(row.name, row.id),
                    text: (row) => called(row.name, row.id),
                    cell: (row) => (
                      <button type="button" className="plain" style={{ fontWeight: 500 }} onClick={() => setAddress({ poster: row.id })}>
                        {called(row.name, row.id)}
                      </button>
                    ),
                  },
                  { key: "id", title: t("posters.id"), far: true, by: (row) => row.id, text: (row) => row.id, cell: (row) => <code>{row.id}</code> },
                  { key: "link", title: t("links.page"), by: (row) => row.link, text: (row) => row.link, cell: (row) => row.link || <span className="quiet">{t("posters.no_code")}</span> },
                ]}
              />
            )}
          </Card>
          <Drawer open={poster !== ""} onClose={() => setAddress({ poster: "", member: "" })} title={called(open?.name, poster)} size={520} destroyOnHidden>
            {open ? <One id={open.id} /> : file.isFetching ? <Bones /> : <None slim title={t("posters.gone")} />}
          </Drawer>
        </>
      )}
    </Asked>
  );
}

function One({ id }: { id: string }) {
  const { t } = useWords();
  const [{ member = "" }, setAddress] = useAddress();
  const drawn = useQuery({
    queryKey: ["poster", id, member],
    enabled: member !== "",
    retry: false,
    // The document calls it a text; it is a picture.
    queryFn: async ({ signal }) => (await got(api.GET("/v1/posters/{name}", { params: { path: { name: id }, query: { member } }, parseAs: "blob", signal }))) as unknown as Blob,
  });
  const [address, setPicture] = useState("");
  useEffect(() => {
    if (!drawn.data) return setPicture("");
    const made = URL.createObjectURL(drawn.data);
    setPicture(made);
    return () => URL.revokeObjectURL(made);
  }, [drawn.data]);
  return (
    <div className="stack">
      <Who label={t("posters.of")} choose={(next) => setAddress({ member: next })} />
      {member === "" ? (
        <None slim title={t("posters.whose")}>
          {t("posters.whose_say")}
        </None>
      ) : drawn.error ? (
        <Fault error={drawn.error} retry={() => void drawn.refetch()} />
      ) : address === "" ? (
        <Bones lines={8} />
      ) : (
        <>
          <img src={address} alt={t("posters.drawn")} style={{ width: "100%", maxWidth: 375, border: "1px solid var(--line)", borderRadius: 8 }} />
          <div>
            <Button href={address} download={`${id}.png`}>
              {t("posters.keep")}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}
