// Settings: one's own password and second factor; stores and staff; keys of programs; webhooks; whether the home is well.
import { useMay } from "../home";
import { Page } from "../parts/page";
import { Tabs } from "../parts/tabs";
import { useAddress } from "../router";
import { useWords } from "../words";
import { Channels } from "./settings/channels";
import { Health } from "./settings/health";
import { Keys } from "./settings/keys";
import { Own } from "./settings/own";
import { People } from "./settings/people";
import { Places } from "./settings/places";
import { Hooks } from "./settings/hooks";

export function Settings() {
  const { t } = useWords();
  const may = useMay();
  const [{ tab = "own" }, setAddress] = useAddress();
  return (
    <Page title={t("settings.title")}>
      <Tabs
        label={t("settings.title")}
        activeKey={tab}
        onChange={(next) => setAddress({ tab: next, find: "", sort: "", as: "", put: "", map: "", place: "" }, { push: true })}
        items={[
          { key: "own", label: t("settings.own"), children: <Own /> },
          ...(may("keys_manage") ? [{ key: "people", label: t("settings.people"), children: <People /> }] : []),
          ...(may("places_read") ? [{ key: "places", label: t("settings.places"), children: <Places /> }] : []),
          ...(may("keys_manage") ? [{ key: "keys", label: t("settings.keys"), children: <Keys /> }] : []),
          ...(may("webhooks_manage") ? [{ key: "webhooks", label: t("settings.webhooks"), children: <Hooks /> }] : []),
          ...(may("home_manage") ? [{ key: "channels", label: t("settings.channels"), children: <Channels /> }] : []),
          ...(may("home_manage") ? [{ key: "health", label: t("settings.health"), children: <Health /> }] : []),
        ]}
      />
    </Page>
  );
}
