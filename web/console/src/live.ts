// The playbook that holds, as its file says it.
import { useQuery } from "@tanstack/react-query";
import { api, got } from "@zhiyin/api";

export const useLive = () =>
  useQuery({
    queryKey: ["live playbook"],
    queryFn: async ({ signal }) => {
      const { items } = await got(api.GET("/v1/playbooks", { signal }));
      const now = items.find((one) => one.live);
      return now ? got(api.GET("/v1/playbooks/{version}", { params: { path: { version: String(now.version) } }, signal })) : null;
    },
  });
