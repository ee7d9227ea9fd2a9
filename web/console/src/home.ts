// What every page may ask: who is signed in and what they may do, and the brand's zone and currency.
import { useQuery } from "@tanstack/react-query";
import { asking, send, type Overview, type Session } from "@zhiyin/api";

export const sessionKey = ["session"] as const;

export async function readSession(signal?: AbortSignal): Promise<Session> {
  const session = await send<Session>("GET", "/v1/session", undefined, signal);
  asking.csrf = session.csrf;
  return session;
}

export const useSession = () => useQuery({ queryKey: sessionKey, queryFn: ({ signal }) => readSession(signal), staleTime: 300_000 });

export function useMay(): (operation: string) => boolean {
  const { data } = useSession();
  return (operation) => data?.permissions.includes(operation) ?? false;
}

export const useOverview = () => {
  const may = useMay();
  return useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => send<Overview>("GET", "/v1/overview", undefined, signal),
    staleTime: 60_000,
    enabled: may("reports_read"),
  });
};

/** The brand's zone; UTC until it is known. */
export const useZone = (): string | undefined => useOverview().data?.brand.timezone;
export const useCurrency = (): string => useOverview().data?.brand.currency ?? "CNY";
