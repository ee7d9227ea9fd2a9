// A file whose text is read: a button like the others over the browser's own, which speaks the browser's language.
import { useState } from "react";
import { useWords } from "../words";

export function TextFile({ read }: { read: (text: string) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  return (
    <label className="row file">
      <input
        type="file"
        className="only-heard"
        accept=".csv,.txt,text/csv,text/plain"
        onChange={(event) => {
          const file = event.target.files?.[0];
          setName(file?.name ?? "");
          void file?.text().then(read);
        }}
      />
      <span className="button-like">{t("lists.file")}</span>
      <span className="quiet small cut">{name}</span>
    </label>
  );
}
