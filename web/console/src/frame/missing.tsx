// An address without a page.
import { Link } from "@tanstack/react-router";
import { None } from "../parts/states";
import { useWords } from "../words";

export function Missing() {
  const { t } = useWords();
  return (
    <div className="page">
      <h1 className="only-heard">{t("frame.missing")}</h1>
      <None title={t("frame.missing")} action={<Link to="/">{t("frame.to_overview")}</Link>}>
        {t("frame.missing_say")}
      </None>
    </div>
  );
}
