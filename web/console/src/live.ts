// The playbook that holds, as its file says it.
import { useQuery } from "@tanstack/react-query";
import { api, got, type Named } from "@zhiyin/api";
import { called } from "./format";

export const useLive = () =>
  useQuery({
    queryKey: ["live playbook"],
    queryFn: async ({ signal }) => {
      const { items } = await got(api.GET("/v1/playbooks", { signal }));
      const now = items.find((one) => one.live);
      return now ? got(api.GET("/v1/playbooks/{version}", { params: { path: { version: String(now.version) } }, signal })) : null;
    },
  });

type Said = Record<string, unknown>;
/** Its sections, read once for each version. */
export function useFile() {
  const source = useLive().data?.source ?? "";
  return useQuery({
    queryKey: ["playbook read", source],
    enabled: source !== "",
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const { parse } = await import("yaml");
      const read = (parse(source) ?? {}) as Record<string, Record<string, Said | null> | null | undefined>;
      return { draws: read.draws ?? {}, offers: read.offers ?? {}, campaigns: read.campaigns ?? {}, messages: read.messages ?? {}, attributes: read.attributes ?? {}, tags: read.tags ?? {}, posters: read.posters ?? {}, partners: read.partners ?? {}, touchpoints: read.touchpoints ?? {}, pages: ((read.links as { pages?: Record<string, Said | null> } | null | undefined)?.pages ?? {}) as Record<string, Said | null> };
    },
  });
}

/** What campaigns are called in the reader's language; what the home says where its file does not. */
export function useCampaignNames() {
  const file = useFile();
  return (id: string, otherwise: string) => called(file.data?.campaigns[id]?.name as Named | undefined, otherwise);
}
